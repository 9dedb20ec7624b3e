import { type Bytes, ByteWriter, EMPTY } from '../core/bytes.ts';
import type { Millis, Position } from '../core/ids.ts';
import { reframe, type Serde, type View } from '../schemas/schemas.ts';

/**
 * One record on its way through a chain of operators: a cursor, not a value. A source moves one instance
 * over its batch; an operator that changes something owns one more, fills it and pushes it on. It is valid
 * during the call only.
 *
 * Key and value each are known as encoded bytes, as a decoded value, or both; the missing form is made when it
 * is asked for. A filter between two topics so never decodes what it does not read, and never encodes at all.
 * Where nothing was changed, `bodyStart` marks key, value and headers as they lie in the source batch.
 *
 * Null keys and values have `keyStart`/`valueStart` -1 and the decoded value `null`.
 */
export class Rec {
  timestamp: Millis = 0;
  /** Where the record was read, for messages and dead letters. */
  position: Position = 0;

  /**
   * On the way from a table: the value that this one replaces, decoded, where a node behind asks for it; null where
   * there was none. A table that is asked sets it for each record anew (`olds.ts`), so only who asked may look at it.
   * It is valid as long as the record.
   */
  old: unknown = null;
  /** False for an update of a versioned table that came behind a newer one of its key. */
  latest = true;
  /** Of an answer of a foreign-key join: the partition that it goes back to. */
  partition = -1;

  /** The untouched body in `bodyBytes` (key length to the last header), or -1. */
  bodyBytes: Bytes = EMPTY;
  bodyStart = -1;
  bodyEnd = -1;

  /** Header count and headers as they lie in `headerBytes`; -1: none. */
  headerBytes: Bytes = EMPTY;
  headerStart = -1;
  headerEnd = -1;

  keyBytes: Bytes = EMPTY;
  keyStart = -1;
  keyEnd = -1;
  /** The format of the encoded key, or `undefined` while only the value is known. */
  keySerde: Serde<unknown> | undefined;
  #keyView: View<unknown> | undefined;
  #key: unknown = null;
  #keyKnown = true;

  valueBytes: Bytes = EMPTY;
  valueStart = -1;
  valueEnd = -1;
  valueSerde: Serde<unknown> | undefined;
  #valueView: View<unknown> | undefined;
  #value: unknown = null;
  #valueKnown = true;

  readonly #keyScratch = new ByteWriter(64);
  readonly #valueScratch = new ByteWriter(256);

  get key(): unknown {
    if (!this.#keyKnown) {
      this.#key = this.keyStart < 0 ? null : this.#keyView!(this.keyBytes, this.keyStart, this.keyEnd);
      this.#keyKnown = true;
    }
    return this.#key;
  }

  get value(): unknown {
    if (!this.#valueKnown) {
      this.#value = this.valueStart < 0 ? null : this.#valueView!(this.valueBytes, this.valueStart, this.valueEnd);
      this.#valueKnown = true;
    }
    return this.#value;
  }

  /** True where the key is null, without decoding it. */
  get keyIsNull(): boolean {
    return this.keySerde === undefined ? this.#key === null || this.#key === undefined : this.keyStart < 0;
  }

  get valueIsNull(): boolean {
    return this.valueSerde === undefined ? this.#value === null || this.#value === undefined : this.valueStart < 0;
  }

  /** The key lies encoded in `bytes[start, end)` (start -1: null); decoded by `view` when read. */
  setKeyBytes(serde: Serde<unknown>, view: View<unknown>, bytes: Bytes, start: number, end: number): void {
    this.keyBytes = bytes;
    this.keyStart = start;
    this.keyEnd = end;
    this.keySerde = serde;
    this.#keyView = view;
    this.#keyKnown = false;
  }

  setValueBytes(serde: Serde<unknown>, view: View<unknown>, bytes: Bytes, start: number, end: number): void {
    this.valueBytes = bytes;
    this.valueStart = start;
    this.valueEnd = end;
    this.valueSerde = serde;
    this.#valueView = view;
    this.#valueKnown = false;
  }

  setKey(key: unknown): void {
    this.#key = key ?? null;
    this.#keyKnown = true;
    this.keySerde = undefined;
    this.bodyStart = -1;
  }

  setValue(value: unknown): void {
    this.#value = value ?? null;
    this.#valueKnown = true;
    this.valueSerde = undefined;
    this.bodyStart = -1;
  }

  /** Time, position, headers and key of another record; the value is set apart. */
  takeKey(from: Rec): void {
    this.#takeOrigin(from);
    this.keyBytes = from.keyBytes;
    this.keyStart = from.keyStart;
    this.keyEnd = from.keyEnd;
    this.keySerde = from.keySerde;
    this.#keyView = from.#keyView;
    this.#key = from.#key;
    this.#keyKnown = from.#keyKnown;
  }

  /** Time, position, headers and value of another record; the key is set apart. */
  takeValue(from: Rec): void {
    this.#takeOrigin(from);
    this.valueBytes = from.valueBytes;
    this.valueStart = from.valueStart;
    this.valueEnd = from.valueEnd;
    this.valueSerde = from.valueSerde;
    this.#valueView = from.#valueView;
    this.#value = from.#value;
    this.#valueKnown = from.#valueKnown;
  }

  /** Only time, position and headers of another record. */
  takeOrigin(from: Rec): void {
    this.#takeOrigin(from);
  }

  clearHeaders(): void {
    this.headerStart = -1;
    this.headerEnd = -1;
  }

  #takeOrigin(from: Rec): void {
    this.timestamp = from.timestamp;
    this.position = from.position;
    this.headerBytes = from.headerBytes;
    this.headerStart = from.headerStart;
    this.headerEnd = from.headerEnd;
    this.latest = from.latest;
    this.bodyStart = -1;
  }

  /**
   * Makes sure that the key lies encoded in this format, in `keyBytes[keyStart, keyEnd)`. Nothing is done
   * where it already does; a key in another format is decoded and encoded, or given another header where that will do.
   */
  encodeKey(serde: Serde<unknown>): void {
    const have = this.keySerde;
    if (have !== undefined && (have === serde || have.name === serde.name)) return;
    const key = this.key;
    this.keySerde = serde;
    this.bodyStart = -1;
    if (key === null) {
      this.keyStart = -1;
      return;
    }
    const out = this.#keyScratch;
    out.clear();
    const { keyBytes, keyStart, keyEnd } = this;
    // what lies in the scratch itself would be written over
    const reframed =
      have !== undefined && keyBytes !== out.bytes && reframe(have, serde, keyBytes, keyStart, keyEnd, out);
    if (!reframed) serde.encode(key, out);
    this.keyBytes = out.bytes;
    this.keyStart = 0;
    this.keyEnd = out.at;
  }

  encodeValue(serde: Serde<unknown>): void {
    const have = this.valueSerde;
    if (have !== undefined && (have === serde || have.name === serde.name)) return;
    const value = this.value;
    this.valueSerde = serde;
    this.bodyStart = -1;
    if (value === null) {
      this.valueStart = -1;
      return;
    }
    const out = this.#valueScratch;
    out.clear();
    const { valueBytes, valueStart, valueEnd } = this;
    const reframed =
      have !== undefined && valueBytes !== out.bytes && reframe(have, serde, valueBytes, valueStart, valueEnd, out);
    if (!reframed) serde.encode(value, out);
    this.valueBytes = out.bytes;
    this.valueStart = 0;
    this.valueEnd = out.at;
  }
}
