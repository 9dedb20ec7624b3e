import type { Bytes } from '../../core/bytes.ts';

/** Keys up to this many bytes lie within their row; longer ones in the slab. */
export const INLINE_KEY_BYTES = 12;

/**
 * A 32-bit hash of key bytes. Leaves the first twelve bytes, zero-padded, as three words in `words`, so that a
 * short key is compared by three integers.
 */
export function hashKey(key: Bytes, start: number, end: number, words: Int32Array): number {
  const length = end - start;
  let hash = length ^ 0x9e3779b9;
  let word = 0;
  let at = start;
  let place = 0;
  words[1] = 0;
  words[2] = 0;
  for (const last = end - 4; at <= last; at += 4) {
    word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24);
    if (place < 3) words[place++] = word;
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  if (at < end) {
    word = key[at]!;
    if (at + 1 < end) word |= key[at + 1]! << 8;
    if (at + 2 < end) word |= key[at + 2]! << 16;
    if (place < 3) words[place] = word;
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 15;
  } else if (length === 0) {
    words[0] = 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}
