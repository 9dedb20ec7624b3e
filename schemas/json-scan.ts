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

const SPACE = 32;

/** Places of an object whose order is remembered. */
const MOST_PLACES = 256;
const NO_WORDS = new DataView(new ArrayBuffer(0));

/** A name as it is most often written, `"name":`, in words of four bytes; of the last one `mask` counts. */
interface NameWords {
  readonly length: number;
  readonly words: Int32Array;
  readonly mask: number;
}

/** Names that are written with escapes have no such form. */
function nameWords(name: Buffer): NameWords | undefined {
  if (name.some((byte) => byte < SPACE || byte === QUOTE || byte === BACKSLASH)) return undefined;
  const text = Buffer.concat([Buffer.of(QUOTE), name, Buffer.of(QUOTE, COLON)]);
  const count = Math.ceil(text.length / 4);
  const padded = Buffer.concat([text, Buffer.alloc(count * 4 - text.length)]);
  const words = Int32Array.from({ length: count }, (_, i) => padded.readInt32LE(i * 4));
  return { length: text.length, words, mask: -1 >>> ((count * 4 - text.length) * 8) };
}

function isName({ words: expected, mask }: NameWords, words: DataView, at: number, end: number): boolean {
  const last = expected.length - 1;
  if (at + last * 4 + 4 > end) return false;
  for (let i = 0; i < last; i++, at += 4) if (words.getInt32(at, true) !== expected[i]) return false;
  return (words.getInt32(at, true) & mask) === expected[last];
}

/**
 * Zero in the bits of `ODD` where four bytes of a string can be passed over: each is ASCII above the quote and no
 * backslash. The highest bit of a byte of a difference is set by a byte too small, by one beyond ASCII, or by a
 * borrow from such a one.
 */
function oddness(word: number): number {
  return word | (word - 0x23232323) | ((word ^ 0x5c5c5c5c) - 0x01010101);
}
const ODD = 0x80808080 | 0;

/** Zero for four bytes from 0x30 to 0x3f: digits, and nothing that ends a number. */
function otherThanDigits(word: number): number {
  return (word & 0xf0f0f0f0) ^ 0x30303030;
}

/** How many bytes of a word stand before the first that has a bit set; the word is not 0. */
function bytesBefore(word: number): number {
  return (31 - Math.clz32(word & -word)) >> 3;
}

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
  readonly #expected: readonly (NameWords | undefined)[];
  /** Which field stood at each place of the last object: most objects of a topic are written in one order. */
  readonly #order: number[] = [];
  readonly #where: string;
  #bytes: Bytes | undefined;
  /** Over all of `#bytes`, to read four bytes at a time. */
  #words: DataView = NO_WORDS;

  constructor(fields: readonly string[], where: string) {
    this.#names = fields.map((field) => Buffer.from(field));
    this.#expected = this.#names.map(nameWords);
    this.starts = new Int32Array(fields.length);
    this.ends = new Int32Array(fields.length);
    this.#where = where;
  }

  scan(bytes: Bytes, start: number, end: number): void {
    const starts = this.starts;
    for (let i = 0; i < starts.length; i++) starts[i] = -1;
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    let at = skipSpace(bytes, start, end) + 1;
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== CLOSE || at >= end) at = this.#fields(bytes, at, end);
    at = skipSpace(bytes, at + 1, end);
    if (at < end) this.#bad('the end', bytes, at, end);
  }

  /** Passes over the fields; answers where the closing brace is. */
  #fields(bytes: Bytes, at: number, end: number): number {
    const { starts, ends } = this;
    const words = this.#words;
    const order = this.#order;
    for (let place = 0; ; place++) {
      let field = place < order.length ? order[place]! : -1;
      const expected = field < 0 ? undefined : this.#expected[field];
      if (expected !== undefined && isName(expected, words, at, end)) at += expected.length;
      else {
        if (at >= end || bytes[at] !== QUOTE) this.#bad('a field name', bytes, at, end);
        const nameEnd = this.#string(bytes, at, end);
        field = this.#find(bytes, at + 1, nameEnd - 1);
        if (place < MOST_PLACES) order[place] = field;
        at = skipSpace(bytes, nameEnd, end);
        if (at >= end || bytes[at] !== COLON) this.#bad('a colon', bytes, at, end);
        at++;
      }
      if (bytes[at]! <= SPACE) at = skipSpace(bytes, at, end);
      const valueEnd = this.#value(bytes, at, end);
      if (field >= 0) {
        starts[field] = at;
        ends[field] = valueEnd;
      }
      at = valueEnd;
      if (bytes[at]! <= SPACE) at = skipSpace(bytes, at, end);
      const next = at < end ? bytes[at] : -1;
      if (next === CLOSE) return at;
      if (next !== COMMA) this.#bad('a comma or }', bytes, at, end);
      at++;
      if (bytes[at]! <= SPACE) at = skipSpace(bytes, at, end);
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
    const words = this.#words;
    for (at++; ; ) {
      while (at + 16 <= end) {
        const first = oddness(words.getInt32(at, true)) | oddness(words.getInt32(at + 4, true));
        const second = oddness(words.getInt32(at + 8, true)) | oddness(words.getInt32(at + 12, true));
        if (((first | second) & ODD) !== 0) break;
        at += 16;
      }
      while (at + 4 <= end) {
        const odd = oddness(words.getInt32(at, true)) & ODD;
        if (odd !== 0) {
          at += bytesBefore(odd);
          break;
        }
        at += 4;
      }
      if (at >= end) return this.#bad('a string that ends', bytes, at, end);
      const byte = bytes[at]!;
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at += 2;
      else if (byte >= SPACE) at++;
      else return this.#bad('a string that ends', bytes, at, end);
    }
  }

  #value(bytes: Bytes, at: number, end: number): number {
    const first = at < end ? bytes[at] : -1;
    if (first === QUOTE) return this.#string(bytes, at, end);
    if (first === OPEN || first === OPEN_LIST) return this.#nested(bytes, at, end);
    const start = at;
    while (at + 4 <= end) {
      const others = otherThanDigits(this.#words.getInt32(at, true));
      if (others !== 0) {
        at += bytesBefore(others);
        break;
      }
      at += 4;
    }
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
