import { type Bytes, type ByteWriter, readInt32, readInt64 } from '../core/bytes.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Cells, Serde } from './schemas.ts';
import { appendText, readText } from './text.ts';

/** Single values in the formats of Kafka's own serdes: UTF-8, big-endian numbers, bytes as they are. */

/** Text as UTF-8. */
export function string(): Serde<string> {
  return STRING;
}

/** Bytes as they are. A decoded value is a copy; a view shares memory with the batch. */
export function bytes(): Serde<Bytes> {
  return BYTES;
}

/** A whole number within ±2^31 in 4 bytes. */
export function int32(): Serde<number> {
  return INT32;
}

/** A whole number within ±2^53 in 8 bytes; what lies beyond is `schema.mismatch`. */
export function int64(): Serde<number> {
  return INT64;
}

/** A floating-point number in 8 bytes. */
export function double(): Serde<number> {
  return DOUBLE;
}

const STRING: Serde<string> = {
  name: 'string',
  schema: 'string',
  decode: readText,
  read: readText,
  encode(value, out) {
    if (typeof value !== 'string') mismatchValue('string', 'a string', value);
    appendText(out, value);
  },
  view: () => readText,
  cells: undefined,
};

function copyBytes(source: Bytes, start: number, end: number): Bytes {
  return Buffer.from(source.subarray(start, end));
}

const BYTES: Serde<Bytes> = {
  name: 'bytes',
  schema: 'bytes',
  decode: copyBytes,
  read: copyBytes,
  encode(value, out) {
    if (!(value instanceof Uint8Array)) mismatchValue('bytes', 'bytes', value);
    const length = value.length;
    out.reserve(length);
    out.bytes.set(value, out.at);
    out.at += length;
  },
  view: () => (source, start, end) => source.subarray(start, end),
  cells: undefined,
};

const INT32 = numeric({
  name: 'int32',
  size: 4,
  expected: 'a whole number of 32 bits',
  fits: (value) => (value | 0) === value,
  read: readInt32,
  write: (value, out) => out.int32(value),
});

const INT64 = numeric({
  name: 'int64',
  size: 8,
  expected: 'a whole number within ±2^53',
  fits: Number.isSafeInteger,
  read: readInt64,
  write: (value, out) => out.int64(value),
});

const DOUBLE = numeric({
  name: 'double',
  size: 8,
  expected: 'a number',
  fits: () => true,
  read: (source, at) => source.readDoubleBE(at),
  write: (value, out) => out.double(value),
});

interface Numeric {
  readonly name: string;
  readonly size: number;
  readonly expected: string;
  fits(value: number): boolean;
  read(source: Bytes, at: number): number;
  write(value: number, out: ByteWriter): void;
}

function numeric({ name, size, expected, fits, read, write }: Numeric): Serde<number> {
  function decode(source: Bytes, start: number, end: number): number {
    if (end - start !== size) mismatch(name, `${size} bytes`, `${end - start}`);
    const value = read(source, start);
    if (!fits(value)) mismatch(name, expected, 'a larger one');
    return value;
  }
  function encode(value: number, out: ByteWriter): void {
    if (typeof value !== 'number' || !fits(value)) mismatchValue(name, expected, value);
    write(value, out);
  }
  return { name, schema: name, decode, read: decode, encode, view: () => decode, cells: numberCells(decode, encode) };
}

/** Cells of a bare number: one, which is the value. */
export function numberCells(
  decode: (source: Bytes, start: number, end: number) => number,
  encode: (value: number, out: ByteWriter) => void,
): Cells<number> {
  return {
    width: 1,
    row: () => (cells, base) => cells[base]!,
    store(value, cells, base) {
      cells[base] = value;
    },
    encode: (cells, base, out) => encode(cells[base]!, out),
    decode(source, start, end, cells, base) {
      cells[base] = decode(source, start, end);
    },
  };
}
