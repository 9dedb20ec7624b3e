import type { Bytes } from '../core/bytes.ts';

/** What `readSigned` answers where no varint below 2^53 ends before the limit. */
export const NO_VARINT = Number.NaN;

/** Where the varint read last ended. One reader at a time: nothing of this room is re-entrant between the two. */
export let varintEnd = 0;

/**
 * The zigzag varint at `at`, and `varintEnd` behind it; `NO_VARINT` where it is longer than eight bytes, beyond
 * 2^53, or does not end before `limit`.
 */
export function readSigned(bytes: Bytes, at: number, limit: number): number {
  if (at + 1 >= limit) return readLong(bytes, at, limit);
  const low = bytes[at]!;
  if (low < 128) {
    varintEnd = at + 1;
    return (low >>> 1) ^ -(low & 1);
  }
  const high = bytes[at + 1]!;
  if (high > 127) return readLong(bytes, at, limit);
  varintEnd = at + 2;
  return (((low & 127) >>> 1) | (high << 6)) ^ -(low & 1);
}

/** Any length, and at the very end. */
function readLong(bytes: Bytes, at: number, limit: number): number {
  let value = 0;
  for (let scale = 1; scale <= 562949953421312; scale *= 128) {
    if (at >= limit) return NO_VARINT;
    const byte = bytes[at++]!;
    value += (byte & 127) * scale;
    if (byte < 128) {
      varintEnd = at;
      if (value > Number.MAX_SAFE_INTEGER) return NO_VARINT;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }
  return NO_VARINT;
}
