import type { Bytes } from '../core/bytes.ts';

const SEED = 0x9747b28c | 0;
const MULTIPLIER = 0x5bd1e995;

/** Murmur2 of `bytes[start, end)` as Kafka's Java client computes it: a signed 32-bit number. */
export function murmur2(bytes: Bytes, start: number, end: number): number {
  const length = end - start;
  let hash = SEED ^ length;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    // Little-endian words.
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    word = Math.imul(word, MULTIPLIER);
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = end - at;
  if (rest > 0) {
    if (rest === 3) hash ^= bytes[at + 2]! << 16;
    if (rest >= 2) hash ^= bytes[at + 1]! << 8;
    hash = Math.imul(hash ^ bytes[at]!, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/**
 * The partition of an encoded key, as Kafka's default partitioner chooses it: the same key goes to the same
 * partition whoever writes it, in any language.
 */
export function partitionForKey(bytes: Bytes, start: number, end: number, partitions: number): number {
  return (murmur2(bytes, start, end) & 0x7fffffff) % partitions;
}
