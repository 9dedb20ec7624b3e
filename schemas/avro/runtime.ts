import type { Bytes } from '../../core/bytes.ts';
import { ownShape } from '../../core/flyweight.ts';
import { mismatch, mismatchValue } from '../mismatch.ts';
import { toPlain } from '../plain.ts';
import { readText, writeText } from '../text.ts';

/** What generated code may call, and nothing else: its only parameters. */
export const RUNTIME = {
  readText,
  writeText,
  readFloat,
  readDouble,
  writeFloat,
  writeDouble,
  writeVarint,
  writeString,
  copyBytes,
  toPlain,
  fround: Math.fround,
  isSafe: Number.isSafeInteger,
  ownShape,
  own: (view: object, name: string, accessor: PropertyDescriptor) =>
    Object.defineProperty(view, name, { ...accessor, enumerable: true, configurable: false }),
  seal: Object.preventExtensions,
  keysOf: Object.keys,
  isArray: Array.isArray,
  isDict,
  isBytes: (value: unknown) => value instanceof Uint8Array,
  bad: mismatch,
  badValue: mismatchValue,
  badHeader,
} as const;

const scratch = new DataView(new ArrayBuffer(8));

function readFloat(bytes: Bytes, at: number): number {
  scratch.setInt32(0, bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24), true);
  return scratch.getFloat32(0, true);
}

function readDouble(bytes: Bytes, at: number): number {
  scratch.setInt32(0, bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24), true);
  scratch.setInt32(4, bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24), true);
  return scratch.getFloat64(0, true);
}

function writeFloat(bytes: Bytes, at: number, value: number): void {
  scratch.setFloat32(0, value, true);
  writeWord(bytes, at, scratch.getInt32(0, true));
}

function writeDouble(bytes: Bytes, at: number, value: number): void {
  scratch.setFloat64(0, value, true);
  writeWord(bytes, at, scratch.getInt32(0, true));
  writeWord(bytes, at + 4, scratch.getInt32(4, true));
}

function writeWord(bytes: Bytes, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

/** A zigzag varint of a whole number within ±2^53; answers the position behind it. */
function writeVarint(bytes: Bytes, at: number, value: number): number {
  if (value >= -1073741824 && value < 1073741824) {
    let rest = (value << 1) ^ (value >> 31);
    while (rest > 127) {
      bytes[at++] = rest | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    return at;
  }
  const magnitude = value >= 0 ? value : -value - 1;
  let high = Math.floor(magnitude / 134217728);
  const low = (magnitude - high * 134217728) * 2 + (value >= 0 ? 0 : 1);
  bytes[at++] = low | 128;
  bytes[at++] = (low >>> 7) | 128;
  bytes[at++] = (low >>> 14) | 128;
  bytes[at++] = (low >>> 21) | 128;
  while (high > 127) {
    bytes[at++] = high | 128;
    high >>>= 7;
  }
  bytes[at++] = high;
  return at;
}

/** Short texts are guessed to be ASCII, which makes their length known before they are written. */
function writeString(bytes: Bytes, at: number, text: string): number {
  const length = text.length;
  if (length <= 24) {
    let i = 0;
    let seen = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      bytes[at + 1 + i] = code;
      seen |= code;
    }
    if (seen < 128) {
      bytes[at] = length << 1;
      return at + 1 + length;
    }
  }
  at = writeVarint(bytes, at, Buffer.byteLength(text));
  return writeText(bytes, at, text);
}

function copyBytes(bytes: Bytes, start: number, end: number): Bytes {
  return Uint8Array.prototype.slice.call(bytes, start, end) as Bytes;
}

/** An object that can be a record or a map. */
function isDict(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Map) &&
    !(value instanceof Date)
  );
}

function badHeader(where: string, bytes: Bytes, start: number, end: number, id: number): never {
  if (end - start < 5) mismatch(where, 'the 5 bytes of a schema registry header', `${end - start} bytes`);
  if (bytes[start] !== 0)
    mismatch(where, 'a schema registry header, whose first byte is 0', `the byte ${bytes[start]}`);
  mismatch(where, `schema id ${id}`, `schema id ${bytes.readInt32BE(start + 1)}`);
}
