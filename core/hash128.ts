import type { Bytes } from './bytes.ts';

/**
 * A hash of 128 bits, to tell values apart without keeping them: MurmurHash3 in its form for 32-bit machines. It lies
 * in records, so it stays as it is. `into` gets four words.
 */
export function hash128(bytes: Bytes, start: number, end: number, into: Int32Array): void {
  const length = end - start;
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  let at = start;
  for (const last = end - 16; at <= last; at += 16) {
    h1 = step(h1 ^ lane(word(bytes, at), C1, 15, C2), 19, h2, 0x561ccd1b);
    h2 = step(h2 ^ lane(word(bytes, at + 4), C2, 16, C3), 17, h3, 0x0bcaa747);
    h3 = step(h3 ^ lane(word(bytes, at + 8), C3, 17, C4), 15, h4, 0x96cd1c35);
    h4 = step(h4 ^ lane(word(bytes, at + 12), C4, 18, C1), 13, h1, 0x32ac3b17);
  }
  h4 ^= lane(tail(bytes, at + 12, end), C4, 18, C1);
  h3 ^= lane(tail(bytes, at + 8, end), C3, 17, C4);
  h2 ^= lane(tail(bytes, at + 4, end), C2, 16, C3);
  h1 ^= lane(tail(bytes, at, end), C1, 15, C2);
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = mix(h1);
  h2 = mix(h2);
  h3 = mix(h3);
  h4 = mix(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  into[0] = h1;
  into[1] = h2 + h1;
  into[2] = h3 + h1;
  into[3] = h4 + h1;
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

function lane(value: number, before: number, turn: number, after: number): number {
  return Math.imul(rotate(Math.imul(value, before), turn), after);
}

function step(value: number, turn: number, next: number, plus: number): number {
  return (Math.imul((rotate(value, turn) + next) | 0, 5) + plus) | 0;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function word(bytes: Bytes, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** A word of which only the bytes before `end` are there. */
function tail(bytes: Bytes, at: number, end: number): number {
  let found = 0;
  for (let i = Math.min(4, end - at) - 1; i >= 0; i--) found = (found << 8) | bytes[at + i]!;
  return found;
}
