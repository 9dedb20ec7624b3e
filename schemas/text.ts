import type { Bytes, ByteWriter } from '../core/bytes.ts';

/** Up to here a loop over the bytes beats a call into native code. */
const LOOP_CHARS = 24;

const fromCharCode = String.fromCharCode;

/** What Node's buffers can do, faster than `toString` and `write`, though its types do not say so. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, at: number): number;
}

export function latin1(bytes: Bytes, start: number, end: number): string {
  return (bytes as unknown as Slices).latin1Slice(start, end);
}

export function utf8(bytes: Bytes, start: number, end: number): string {
  return (bytes as unknown as Slices).utf8Slice(start, end);
}

function utf8Write(bytes: Bytes, text: string, at: number): number {
  return (bytes as unknown as Slices).utf8Write(text, at);
}

/** UTF-8 in `bytes[start, end)` as a string; malformed parts become U+FFFD. */
export function readText(bytes: Bytes, start: number, end: number): string {
  const length = end - start;
  if (length <= 4) return readShort(bytes, start, end, length);
  let seen = 0;
  for (let at = start; at < end; at++) seen |= bytes[at]!;
  return seen < 128 ? latin1(bytes, start, end) : utf8(bytes, start, end);
}

function readShort(bytes: Bytes, at: number, end: number, length: number): string {
  if (length === 0) return '';
  const a = bytes[at]!;
  const b = length > 1 ? bytes[at + 1]! : 0;
  const c = length > 2 ? bytes[at + 2]! : 0;
  const d = length > 3 ? bytes[at + 3]! : 0;
  if ((a | b | c | d) > 127) return utf8(bytes, at, end);
  if (length === 3) return fromCharCode(a, b, c);
  if (length === 4) return fromCharCode(a, b, c, d);
  return length === 1 ? fromCharCode(a) : fromCharCode(a, b);
}

/**
 * Writes the text as UTF-8 at `at`, where at least three bytes a character are free; answers the position
 * behind it. Unpaired surrogates become U+FFFD.
 */
export function writeText(bytes: Bytes, at: number, text: string): number {
  const length = text.length;
  if (length > LOOP_CHARS) return at + utf8Write(bytes, text, at);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return at + utf8Write(bytes, text, at);
    bytes[at + i] = code;
  }
  return at + length;
}

/** Appends the text as UTF-8, without a length. */
export function appendText(out: ByteWriter, text: string): void {
  out.reserve(text.length * 3);
  out.at = writeText(out.bytes, out.at, text);
}
