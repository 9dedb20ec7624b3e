import { type Bytes, readInt64, writeInt16, writeInt64 } from '../core/bytes.ts';

export const TABLE_ID_BYTES = 2;
export const PANE_BYTES = 8;

/** Bytes before the key proper. */
export function prefixBytes(windowed: boolean): number {
  return windowed ? TABLE_ID_BYTES + PANE_BYTES : TABLE_ID_BYTES;
}

export function writePrefix(bytes: Bytes, at: number, table: number, windowed: boolean, pane: number): number {
  writeInt16(bytes, at, table);
  if (!windowed) return at + TABLE_ID_BYTES;
  writeInt64(bytes, at + TABLE_ID_BYTES, pane);
  bytes[at + TABLE_ID_BYTES]! ^= 0x80;
  return at + TABLE_ID_BYTES + PANE_BYTES;
}

export function readPane(bytes: Bytes, at: number): number {
  const flipped = Buffer.from(bytes.subarray(at, at + PANE_BYTES));
  flipped[0]! ^= 0x80;
  return readInt64(flipped, 0);
}

export function diskKey(table: number, windowed: boolean, pane: number, key: Bytes, start: number, end: number): Bytes {
  const result = Buffer.allocUnsafe(prefixBytes(windowed) + end - start);
  key.copy(result, writePrefix(result, 0, table, windowed, pane), start, end);
  return result;
}

/** The first key behind every key with this prefix. */
export function behind(prefix: Bytes): Bytes {
  const result = Buffer.from(prefix);
  let last = result.length - 1;
  while (last > 0 && result[last] === 255) last--;
  result[last]!++;
  return result.subarray(0, last + 1);
}

export function panePrefix(table: number, windowed: boolean, pane: number): Bytes {
  const result = Buffer.alloc(prefixBytes(windowed));
  writePrefix(result, 0, table, windowed, pane);
  return result;
}
