import { assert } from '../core/assert.ts';
import { lend, recycle } from '../core/buffer-pool.ts';
import { type Bytes, EMPTY, varintSize, writeVarint, zigzag } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Step, Undoable } from '../core/step.ts';
import { BATCH_HEADER_BYTES, stampCrc, writeUnsealedHeader } from './batch-header.ts';
import { type Compression, compressBatch } from './compression.ts';

/** Bytes up to which a loop beats a call. */
const LOOP_BYTES = 32;
/** More than a record needs besides its body: length, attributes, two deltas. */
const PREFIX_BYTES = 32;
const NO_HEADERS = Buffer.of(0);

/**
 * Encodes one batch in place, and takes part in the undo of the step. Timestamps may fall and rise. Every append
 * is one record behind the last; there is no limit here but memory: the caller looks at `size`.
 */
export class BatchBuilder implements Undoable {
  count = 0;
  /** The largest timestamp of its records; meaningless while `count` is 0. */
  maxTimestamp: Millis = 0;
  /** Its place among the builders of its step by when the first record came; meaningless while `count` is 0. */
  begun = 0;
  readonly #step: Step;
  readonly #onFirst: (() => void) | undefined;
  #bytes: Bytes = EMPTY;
  #at = BATCH_HEADER_BYTES;
  #baseTimestamp: Millis = 0;
  #sizeHint = 0;

  #touchedIn = -1;
  #markAt = BATCH_HEADER_BYTES;
  #markCount = 0;
  #markMaxTimestamp: Millis = 0;

  /** `onFirst` is called at the first record of a batch; that may be undone, and there is another one then. */
  constructor(step: Step, onFirst?: () => void) {
    this.#step = step;
    this.#onFirst = onFirst;
  }

  /** Bytes of the batch if it were finished now. */
  get size(): number {
    return this.#at;
  }

  /** Appends a record without headers; start -1 is a null key or value. */
  append(
    timestamp: Millis,
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.appendWithHeaders(timestamp, key, keyStart, keyEnd, value, valueStart, valueEnd, NO_HEADERS, 0, 1);
  }

  /** Appends a record with a raw header section: the count and the pairs, as `encodeHeaders` makes it. */
  appendWithHeaders(
    timestamp: Millis,
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
    headers: Bytes,
    headerStart: number,
    headerEnd: number,
  ): void {
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueLength = valueStart < 0 ? -1 : valueEnd - valueStart;
    const keyCode = zigzag(keyLength);
    const valueCode = zigzag(valueLength);
    const bodyLength =
      varintSize(keyCode) +
      Math.max(keyLength, 0) +
      varintSize(valueCode) +
      Math.max(valueLength, 0) +
      (headerEnd - headerStart);
    let at = this.#begin(timestamp, bodyLength);
    const bytes = this.#bytes;
    at = writeVarint(bytes, at, keyCode);
    if (keyLength > 0) at = copyBytes(bytes, at, key, keyStart, keyEnd);
    at = writeVarint(bytes, at, valueCode);
    if (valueLength > 0) at = copyBytes(bytes, at, value, valueStart, valueEnd);
    this.#end(timestamp, copyBytes(bytes, at, headers, headerStart, headerEnd));
  }

  /** Appends key, value and headers as they lie in another batch: from the key length to the last header. */
  appendBody(timestamp: Millis, bytes: Bytes, bodyStart: number, bodyEnd: number): void {
    const at = this.#begin(timestamp, bodyEnd - bodyStart);
    this.#end(timestamp, copyBytes(this.#bytes, at, bytes, bodyStart, bodyEnd));
  }

  /**
   * The finished batch: compressed where that makes it smaller, at position 0, without a producer, its CRC valid. The
   * builder is empty then and writes elsewhere; the bytes are the caller's. What was appended can no longer be undone.
   */
  finish(compression: Compression = 'none'): Bytes {
    const bytes = this.#bytes;
    const end = this.#at;
    assert(this.count > 0, () => 'an empty batch is finished');
    writeUnsealedHeader(bytes, 0, end, 0, this.count - 1, this.#baseTimestamp, this.maxTimestamp, this.count);
    this.#sizeHint = end;
    this.#bytes = EMPTY;
    this.clear();
    const plain = bytes.subarray(0, end);
    const packed = compressBatch(plain, compression);
    if (packed === plain) stampCrc(plain, 0);
    return packed;
  }

  /** Gives a finished batch back that nobody reads any more; its memory is used again. */
  recycle(bytes: Bytes): void {
    recycle(bytes);
  }

  /** Forgets all records; this cannot be undone. */
  clear(): void {
    this.#reset(BATCH_HEADER_BYTES, 0, 0);
    this.#markAt = BATCH_HEADER_BYTES;
    this.#markCount = 0;
  }

  rollback(): void {
    this.#reset(this.#markAt, this.#markCount, this.#markMaxTimestamp);
  }

  #reset(at: number, count: number, largest: Millis): void {
    this.#at = at;
    this.count = count;
    this.maxTimestamp = largest;
  }

  /** Writes what stands before the body, with room for it; answers where the body goes. */
  #begin(timestamp: Millis, bodyLength: number): number {
    const step = this.#step;
    if (this.#touchedIn !== step.serial) {
      this.#touchedIn = step.serial;
      this.#markAt = this.#at;
      this.#markCount = this.count;
      this.#markMaxTimestamp = this.maxTimestamp;
      step.touch(this);
    }
    let at = this.#at;
    if (at + bodyLength + PREFIX_BYTES > this.#bytes.length) this.#grow(bodyLength);
    const bytes = this.#bytes;
    if (this.count === 0) {
      this.#baseTimestamp = timestamp;
      this.begun = step.begun++;
      this.#onFirst?.();
    }
    const timeCode = zigzag(timestamp - this.#baseTimestamp);
    const positionCode = this.count * 2;
    const length = 1 + varintSize(timeCode) + varintSize(positionCode) + bodyLength;
    at = writeVarint(bytes, at, length * 2);
    bytes[at++] = 0;
    at = writeVarint(bytes, at, timeCode);
    return writeVarint(bytes, at, positionCode);
  }

  #end(timestamp: Millis, at: number): void {
    this.#at = at;
    if (this.count++ === 0 || timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
  }

  #grow(bodyLength: number): void {
    const need = this.#at + bodyLength + PREFIX_BYTES;
    const before = this.#bytes;
    const grown = lend(before.length === 0 ? Math.max(need, this.#sizeHint) : Math.max(need, before.length * 2));
    this.#bytes = grown;
    if (before.length === 0) return;
    before.copy(grown, 0, 0, Math.min(this.#at, before.length));
    recycle(before);
  }
}

function copyBytes(target: Bytes, at: number, source: Bytes, start: number, end: number): number {
  if (end - start > LOOP_BYTES) return at + source.copy(target, at, start, end);
  for (let i = start; i < end; i++) target[at++] = source[i]!;
  return at;
}
