import { type Bytes, ByteWriter, EMPTY, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde } from './schemas.ts';

/** An update that waits: the newest value of its key, and the place in time where its key waits. */
export interface Buffered<V> {
  readonly time: Millis;
  /** Null: the row was deleted. */
  readonly value: V | null;
  /** What was let through last, where it is kept: `undefined` where it is not. */
  readonly prior: V | null | undefined;
}

const HAS_VALUE = 1;
const KEEPS_PRIOR = 2;
const HAS_PRIOR = 4;
const HAS_HEADERS = 8;

/**
 * Where the parts of such a row lie. The row: the time as int64, a byte of flags, then, where there are any, the prior
 * value and the headers, each behind its length as a varint, then the value to the end.
 */
export class BufferedRow {
  bytes: Bytes = EMPTY;
  time: Millis = 0;
  keepsPrior = false;
  /** -1: null. */
  priorStart = -1;
  priorEnd = -1;
  /** Header count and headers, as in a batch; -1: none. */
  headerStart = -1;
  headerEnd = -1;
  /** -1: null. */
  valueStart = -1;
  valueEnd = -1;
  #at = 0;

  read(bytes: Bytes, start: number, end: number): void {
    if (end - start < 9) mismatch('buffered', 'at least 9 bytes', `${end - start}`);
    this.bytes = bytes;
    this.time = readInt64(bytes, start);
    const flags = bytes[start + 8]!;
    this.#at = start + 9;
    this.keepsPrior = (flags & KEEPS_PRIOR) !== 0;
    this.priorStart = -1;
    this.headerStart = -1;
    if ((flags & HAS_PRIOR) !== 0) {
      this.priorEnd = this.#part(end);
      this.priorStart = this.#at;
      this.#at = this.priorEnd;
    }
    if ((flags & HAS_HEADERS) !== 0) {
      this.headerEnd = this.#part(end);
      this.headerStart = this.#at;
      this.#at = this.headerEnd;
    }
    this.valueStart = (flags & HAS_VALUE) === 0 ? -1 : this.#at;
    this.valueEnd = end;
  }

  /** Moves behind a length; answers where the part ends that it tells of. */
  #part(end: number): number {
    const { bytes } = this;
    let length = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[this.#at++]!;
      length += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    if (this.#at + length > end) mismatch('buffered', `${length} bytes of a part`, `${end - this.#at}`);
    return this.#at + length;
  }
}

/** Appends a row. A part that starts at -1 is null, or not there; `keepsPrior` tells a null one from none. */
export function writeBuffered(
  out: ByteWriter,
  time: Millis,
  keepsPrior: boolean,
  prior: Bytes,
  priorStart: number,
  priorEnd: number,
  headers: Bytes,
  headerStart: number,
  headerEnd: number,
  value: Bytes,
  valueStart: number,
  valueEnd: number,
): void {
  out.int64(time);
  const hasPrior = keepsPrior && priorStart >= 0;
  let flags = valueStart < 0 ? 0 : HAS_VALUE;
  if (keepsPrior) flags |= KEEPS_PRIOR;
  if (hasPrior) flags |= HAS_PRIOR;
  if (headerStart >= 0) flags |= HAS_HEADERS;
  out.byte(flags);
  if (hasPrior) writePart(out, prior, priorStart, priorEnd);
  if (headerStart >= 0) writePart(out, headers, headerStart, headerEnd);
  if (valueStart >= 0) out.copy(value, valueStart, valueEnd);
}

function writePart(out: ByteWriter, bytes: Bytes, start: number, end: number): void {
  out.varint(end - start);
  out.copy(bytes, start, end);
}

/** Rows of a buffer of updates. Headers that a row has beside are not part of the value. */
export function buffered<V>(inner: Serde<V>): Serde<Buffered<V>> {
  const name = `buffered(${inner.name})`;
  const row = new BufferedRow();
  const value = new ByteWriter(256);
  const prior = new ByteWriter(256);

  function decodeBy(part: Serde<V>['decode']): Serde<Buffered<V>>['decode'] {
    return (bytes, start, end) => {
      row.read(bytes, start, end);
      const { time, keepsPrior, priorStart, priorEnd, valueStart, valueEnd } = row;
      return {
        time,
        value: valueStart < 0 ? null : part(bytes, valueStart, valueEnd),
        prior: !keepsPrior ? undefined : priorStart < 0 ? null : part(bytes, priorStart, priorEnd),
      };
    };
  }

  /** -1 where there is nothing to write. */
  function startOf(part: V | null | undefined, scratch: ByteWriter): number {
    scratch.clear();
    if (part === null || part === undefined) return -1;
    inner.encode(part, scratch);
    return 0;
  }

  const read = decodeBy((bytes, start, end) => inner.read(bytes, start, end));
  return {
    name,
    schema: { buffered: inner.schema },
    decode: decodeBy((bytes, start, end) => inner.decode(bytes, start, end)),
    read,
    encode(row, out) {
      if (row === null || typeof row !== 'object') mismatchValue(name, 'a buffered update', row);
      if (!Number.isSafeInteger(row.time)) mismatchValue(`${name}.time`, 'a whole number', row.time);
      const valueStart = startOf(row.value, value);
      const priorStart = startOf(row.prior, prior);
      const keepsPrior = row.prior !== undefined;
      const { bytes: priorBytes, at: priorEnd } = prior;
      writeBuffered(
        out,
        row.time,
        keepsPrior,
        priorBytes,
        priorStart,
        priorEnd,
        EMPTY,
        -1,
        -1,
        value.bytes,
        valueStart,
        value.at,
      );
    },
    view: () => read,
    cells: undefined,
  };
}
