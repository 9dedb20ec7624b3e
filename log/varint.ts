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
  if (at >= limit) return NO_VARINT;
  let byte = bytes[at++]!;
  if (byte < 128) {
    varintEnd = at;
    return (byte >>> 1) ^ -(byte & 1);
  }
  let value = byte & 127;
  for (let scale = 128; scale <= 562949953421312; scale *= 128) {
    if (at >= limit) return NO_VARINT;
    byte = bytes[at++]!;
    value += (byte & 127) * scale;
    if (byte < 128) {
      varintEnd = at;
      if (value > Number.MAX_SAFE_INTEGER) return NO_VARINT;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }
  return NO_VARINT;
}
