import type { Bytes } from '../core/bytes.ts';
import { mismatch } from './mismatch.ts';
import { latin1, utf8 } from './text.ts';

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/**
 * Finds where the values of chosen top-level fields lie in a JSON object, in one pass over all of it: the last of
 * two fields with one name wins, as in `JSON.parse`. Checked are the frame of the object and its names; values
 * are passed over and judged when they are parsed.
 */
export class JsonScan {
  /** Where the value of field i lies; start -1: not there. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #names: readonly Buffer[];
  readonly #where: string;

  constructor(fields: readonly string[], where: string) {
    this.#names = fields.map((field) => Buffer.from(field));
    this.starts = new Int32Array(fields.length);
    this.ends = new Int32Array(fields.length);
    this.#where = where;
  }

  scan(bytes: Bytes, start: number, end: number): void {
    const starts = this.starts;
    for (let i = 0; i < starts.length; i++) starts[i] = -1;
    let at = skipSpace(bytes, start, end) + 1;
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== CLOSE || at >= end) at = this.#fields(bytes, at, end);
    at = skipSpace(bytes, at + 1, end);
    if (at < end) this.#bad('the end', bytes, at, end);
  }

  /** Passes over the fields; answers where the closing brace is. */
  #fields(bytes: Bytes, at: number, end: number): number {
    for (;;) {
      if (at >= end || bytes[at] !== QUOTE) this.#bad('a field name', bytes, at, end);
      const nameEnd = this.#string(bytes, at, end);
      const field = this.#find(bytes, at + 1, nameEnd - 1);
      at = skipSpace(bytes, nameEnd, end);
      if (at >= end || bytes[at] !== COLON) this.#bad('a colon', bytes, at, end);
      at = skipSpace(bytes, at + 1, end);
      const valueEnd = this.#value(bytes, at, end);
      if (field >= 0) {
        this.starts[field] = at;
        this.ends[field] = valueEnd;
      }
      at = skipSpace(bytes, valueEnd, end);
      const next = at < end ? bytes[at] : -1;
      if (next === CLOSE) return at;
      if (next !== COMMA) this.#bad('a comma or }', bytes, at, end);
      at = skipSpace(bytes, at + 1, end);
    }
  }

  #find(bytes: Bytes, start: number, end: number): number {
    const names = this.#names;
    const length = end - start;
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      if (name.length !== length) continue;
      let k = 0;
      while (k < length && name[k] === bytes[start + k]) k++;
      if (k === length) return i;
    }
    for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return this.#findEscaped(bytes, start, end);
    return -1;
  }

  #findEscaped(bytes: Bytes, start: number, end: number): number {
    const name = Buffer.from(String(parseJson(bytes, start - 1, end + 1, this.#where)));
    return this.#names.findIndex((own) => own.equals(name));
  }

  /** From the opening quote to behind the closing one. */
  #string(bytes: Bytes, at: number, end: number): number {
    for (at++; at < end; at++) {
      const byte = bytes[at]!;
      // Most bytes of text are neither quote nor control nor backslash, which one comparison tells.
      if (byte > BACKSLASH) continue;
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at++;
      else if (byte < 32) break;
    }
    return this.#bad('a string that ends', bytes, at, end);
  }

  #value(bytes: Bytes, at: number, end: number): number {
    const first = at < end ? bytes[at] : -1;
    if (first === QUOTE) return this.#string(bytes, at, end);
    if (first === OPEN || first === OPEN_LIST) return this.#nested(bytes, at, end);
    const start = at;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === COMMA || byte === CLOSE || byte <= 32) break;
      at++;
    }
    if (at === start) this.#bad('a value', bytes, at, end);
    return at;
  }

  #nested(bytes: Bytes, at: number, end: number): number {
    for (let depth = 0; at < end; ) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        at = this.#string(bytes, at, end);
        continue;
      }
      at++;
      if (byte === OPEN || byte === OPEN_LIST) depth++;
      else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return at;
    }
    return this.#bad('a value that ends', bytes, at, end);
  }

  #bad(expected: string, bytes: Bytes, at: number, end: number): never {
    mismatch(
      this.#where,
      expected,
      at < end ? JSON.stringify(utf8(bytes, at, Math.min(end, at + 16))) : 'the end of the bytes',
    );
  }
}

export function isObject(bytes: Bytes, start: number, end: number): boolean {
  const at = skipSpace(bytes, start, end);
  return at < end && bytes[at] === OPEN;
}

function skipSpace(bytes: Bytes, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]!;
    if (byte > 32 || (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)) break;
    at++;
  }
  return at;
}

/** The JSON value in `bytes[start, end)`. Plain numbers and strings are read in place, all else by `JSON.parse`. */
export function readValue(bytes: Bytes, start: number, end: number, where: string): unknown {
  const first = bytes[start]!;
  if (first === QUOTE) return readString(bytes, start, end, where);
  if (first === MINUS || (first >= ZERO && first <= ZERO + 9)) return readNumber(bytes, start, end, where);
  return parseJson(bytes, start, end, where);
}

function readString(bytes: Bytes, start: number, end: number, where: string): unknown {
  let seen = 0;
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at]!;
    if (byte === BACKSLASH) return parseJson(bytes, start, end, where);
    seen |= byte;
  }
  return seen < 128 ? latin1(bytes, start + 1, end - 1) : utf8(bytes, start + 1, end - 1);
}

const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/** Exact: up to 15 digits are a whole double, and its quotient by a power of ten is rounded once. */
function readNumber(bytes: Bytes, start: number, end: number, where: string): unknown {
  const minus = bytes[start] === MINUS;
  const digits = minus ? start + 1 : start;
  let value = 0;
  let point = -1;
  if (end - digits > 16 || end === digits) return parseJson(bytes, start, end, where);
  for (let at = digits; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (bytes[at] === POINT && point < 0) point = at;
    else return parseJson(bytes, start, end, where);
  }
  const whole = (point < 0 ? end : point) - digits;
  const odd =
    whole === 0 ||
    (whole > 1 && bytes[digits] === ZERO) ||
    point === end - 1 ||
    end - digits - (point < 0 ? 0 : 1) > 15;
  if (odd) return parseJson(bytes, start, end, where);
  if (point >= 0) value /= POWERS[end - point - 1]!;
  return minus ? -value : value;
}

export function parseJson(bytes: Bytes, start: number, end: number, where: string): unknown {
  try {
    return JSON.parse(utf8(bytes, start, end));
  } catch {
    // What the parser says would quote the document at length.
    return mismatch(where, 'JSON', JSON.stringify(utf8(bytes, start, Math.min(end, start + 64))));
  }
}
