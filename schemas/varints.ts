import type { Bytes } from '../core/bytes.ts';
import { mismatch } from './mismatch.ts';

/** A cursor over unsigned varints below 2^53. */
export class Varints {
  readonly #name: string;
  readonly #bytes: Bytes;
  readonly #end: number;
  at: number;

  constructor(name: string, bytes: Bytes, start: number, end: number) {
    this.#name = name;
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.at >= this.#end || scale > Number.MAX_SAFE_INTEGER) mismatch(this.#name, 'a number', 'the end');
      const byte = this.#bytes[this.at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  finish(): void {
    if (this.at !== this.#end) mismatch(this.#name, 'the end', `${this.#end - this.at} more bytes`);
  }
}
