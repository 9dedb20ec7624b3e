import { FlowError } from '../../core/errors.ts';

/** The longest record that is accepted: beyond it a quote was most likely never closed. */
export const MAX_RECORD_BYTES = 16 << 20;

const QUOTE = 34;
const COMMA = 44;
const LF = 10;
const CR = 13;

export interface CsvRecord {
  readonly fields: readonly string[];
  /** The line it begins on, from 1. */
  readonly line: number;
}

/**
 * Cuts bytes into the records of RFC 4180: fields apart by commas, records by CRLF or LF, quotes around fields
 * that hold either, doubled quotes within. Bytes come in pieces of any size.
 */
export class CsvParser {
  readonly #path: string;
  #pending: Buffer = Buffer.alloc(0);
  /** Line on which `#pending` begins. */
  #line = 1;
  #ended = false;
  #first = true;

  constructor(path: string) {
    this.#path = path;
  }

  push(piece: Uint8Array): void {
    this.#pending = this.#pending.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#pending, piece]);
    if (this.#first && this.#pending.length >= 3) {
      this.#first = false;
      if (this.#pending[0] === 0xef && this.#pending[1] === 0xbb && this.#pending[2] === 0xbf) {
        this.#pending = this.#pending.subarray(3);
      }
    }
  }

  /** Nothing more will come: the last record needs no line end. */
  end(): void {
    this.#ended = true;
  }

  /** Takes every record that is complete. */
  take(): CsvRecord[] {
    const records: CsvRecord[] = [];
    for (let at = 0; ; ) {
      const record = this.#record(at);
      if (record === undefined) {
        this.#pending = this.#pending.subarray(at);
        if (this.#pending.length > MAX_RECORD_BYTES)
          this.fault(this.#line, `a record is longer than ${MAX_RECORD_BYTES} bytes; a quote may never be closed`);
        return records;
      }
      at = record.end;
      records.push({ fields: record.fields, line: this.#line });
      this.#line = record.nextLine;
    }
  }

  fault(line: number, what: string): never {
    throw new FlowError('file.broken', `${this.#path}, line ${line}: ${what}; correct the file`);
  }

  /** The record at `at`, or `undefined` while its end has not come. */
  #record(at: number): { fields: string[]; end: number; nextLine: number } | undefined {
    const bytes = this.#pending;
    if (at >= bytes.length) return undefined;
    const fields: string[] = [];
    let line = this.#line;
    for (;;) {
      if (bytes[at] === QUOTE) {
        const quoted = this.#quoted(at, line);
        if (quoted === undefined) return undefined;
        fields.push(quoted.text);
        at = quoted.end;
        line = quoted.line;
      } else {
        const start = at;
        while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== LF && bytes[at] !== QUOTE) at++;
        if (bytes[at] === QUOTE) this.fault(line, 'a quote within a field that does not begin with one');
        if (at >= bytes.length && !this.#ended) return undefined;
        const end = bytes[at] !== COMMA && at > start && bytes[at - 1] === CR ? at - 1 : at;
        fields.push(bytes.toString('utf8', start, end));
      }
      if (at >= bytes.length) return this.#ended ? { fields, end: at, nextLine: line + 1 } : undefined;
      if (bytes[at++] === LF) return { fields, end: at, nextLine: line + 1 };
    }
  }

  /** A quoted field; `end` is at the comma or line feed behind it, or at the end of the bytes. */
  #quoted(start: number, line: number): { text: string; end: number; line: number } | undefined {
    const bytes = this.#pending;
    const opened = line;
    let text = '';
    let from = start + 1;
    let at = from;
    for (; ; at++) {
      if (at >= bytes.length) {
        if (this.#ended) this.fault(opened, 'a quote is never closed');
        return undefined;
      }
      if (bytes[at] === LF) line++;
      if (bytes[at] !== QUOTE) continue;
      text += bytes.toString('utf8', from, at);
      if (at + 1 >= bytes.length && !this.#ended) return undefined;
      if (bytes[at + 1] !== QUOTE) break;
      from = ++at;
    }
    at++;
    if (bytes[at] === CR) {
      at++;
      if (at >= bytes.length && !this.#ended) return undefined;
      if (at < bytes.length && bytes[at] !== LF) this.fault(line, 'text behind the closing quote of a field');
    }
    if (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== LF) {
      this.fault(line, 'text behind the closing quote of a field');
    }
    return { text, end: at, line };
  }
}
