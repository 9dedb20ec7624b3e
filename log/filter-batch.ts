import { type Bytes, varintSize, writeVarint, zigzag } from '../core/bytes.ts';
import { BATCH_HEADER_BYTES, stampPosition, writeHeader } from './batch-header.ts';
import type { BatchView } from './batch-view.ts';

/**
 * The batch that `view` shows, with only the records that `keep` says: uncompressed, each at its own position, the
 * batch still spanning the same positions. `undefined` where nothing is kept. It has no producer; a driver that
 * needs one stamps it. For compaction.
 */
export function filterBatch(view: BatchView, keep: (index: number) => boolean): Bytes | undefined {
  const kept: number[] = [];
  let size = BATCH_HEADER_BYTES;
  for (let i = 0; i < view.count; i++) {
    if (!keep(i)) continue;
    kept.push(i);
    size += 32 + view.bodyEnds[i]! - view.bodyStarts[i]!;
  }
  if (kept.length === 0) return undefined;
  const bytes = Buffer.alloc(size);
  const baseTimestamp = view.timestamps[kept[0]!]!;
  let maxTimestamp = baseTimestamp;
  let at = BATCH_HEADER_BYTES;
  for (const i of kept) {
    const timeCode = zigzag(view.timestamps[i]! - baseTimestamp);
    const positionCode = zigzag(view.positions[i]! - view.basePosition);
    const body = view.bodyEnds[i]! - view.bodyStarts[i]!;
    at = writeVarint(bytes, at, zigzag(1 + varintSize(timeCode) + varintSize(positionCode) + body));
    bytes[at++] = 0;
    at = writeVarint(bytes, at, timeCode);
    at = writeVarint(bytes, at, positionCode);
    at += view.bytes.copy(bytes, at, view.bodyStarts[i]!, view.bodyEnds[i]!);
    maxTimestamp = Math.max(maxTimestamp, view.timestamps[i]!);
  }
  const lastDelta = view.nextPosition - 1 - view.basePosition;
  writeHeader(bytes, 0, at, { attributes: 0, lastDelta, baseTimestamp, maxTimestamp, count: kept.length });
  stampPosition(bytes, 0, view.basePosition);
  return bytes.subarray(0, at);
}
