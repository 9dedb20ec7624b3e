import type { DiskBatch } from './disk.ts';
import { behind, prefixBytes } from './disk-key.ts';
import { COLUMNS, KEY_AT, KEY_LENGTH, ROW, TABLE, VALUE_END, VALUE_START } from './encoded-cut.ts';
import type { Images } from './images.ts';

/** Puts the newest image of every key that cuts up to `upTo` hold into a batch, and their positions; answers how many. */
export function fillBatch(batch: DiskBatch, images: Images, upTo: number): number {
  let count = 0;
  images.forEachNewest(upTo, (cut, entry) => {
    const e = entry * COLUMNS;
    const { entries } = cut;
    const { bytes } = cut.out;
    const { windowed } = cut.tables[entries[e + TABLE]!]!;
    const start = entries[e + KEY_AT]!;
    const key = bytes.subarray(start, start + prefixBytes(windowed) + entries[e + KEY_LENGTH]!);
    const valueStart = entries[e + VALUE_START]!;
    if (entries[e + ROW]! < 0) batch.deleteRange(key, behind(key));
    else if (valueStart < 0) batch.delete(key);
    else batch.put(key, bytes.subarray(valueStart, entries[e + VALUE_END]!));
    count++;
  });
  for (const cut of images.cuts) {
    if (cut.number > upTo) break;
    for (const [table, position] of cut.positions) batch.position(table, position);
  }
  return count;
}
