import { type Bytes, EMPTY } from '../core/bytes.ts';
import type { Millis, Position, TopicPartition } from '../core/ids.ts';
import {
  BATCH_HEADER_BYTES,
  basePosition,
  baseTimestamp,
  CODEC,
  checkBatch,
  codecOf,
  corrupt,
  isAppendTime,
  isControl,
  isTransactional,
  lastDelta,
  maxTimestamp,
  recordCount,
} from './batch-header.ts';
import { decompressRecords } from './compression.ts';
import { headersEnd } from './headers.ts';
import { Scratch } from './scratch.ts';
import { readSigned, varintEnd } from './varint.ts';

/** The smallest record: length, attributes, two deltas, two lengths and a header count of one byte each. */
const SMALLEST_RECORD = 7;
/** Behind its length: attributes, a time of five bytes, a delta and the length of a key of two. */
const LONGEST_HEAD = 10;
/** More than the time of such a record can lie away from the first. */
const FAR = 2 ** 34;

/** Asked as a batch is decoded, so that records which nobody wants take no place in the columns. */
export interface Sieve {
  /** Before the records of a batch, of which there are at most `count`. */
  begin(count: number): void;
  /** Behind the records of a batch, of which `count` have a place. */
  end(count: number): void;
  /** Whether this record, which is next in line for `place`, is left out. A start of -1 is a null value. */
  drops(place: number, timestamp: Millis, bytes: Bytes, valueStart: number, valueEnd: number): boolean;
}

/**
 * One batch as columns, decoded without an object per record and reused from batch to batch: `open` fills the
 * columns from 0 to `count`. What lies behind `count` in a column is of an earlier batch.
 */
export class BatchView {
  count = 0;
  /** What all columns point into: the bytes given to `open`, or decompressed records, which the next `open` overwrites. */
  bytes: Bytes = EMPTY;
  positions = new Float64Array(0);
  timestamps = new Float64Array(0);
  /** -1 is a null key. */
  keyStarts = new Int32Array(0);
  keyEnds = new Int32Array(0);
  /** -1 is a null value: a tombstone. */
  valueStarts = new Int32Array(0);
  valueEnds = new Int32Array(0);
  /** Where the key length stands; from here to `bodyEnds` a record may be copied as it is. */
  bodyStarts = new Int32Array(0);
  /** Where the header count stands. */
  headerStarts = new Int32Array(0);
  bodyEnds = new Int32Array(0);

  basePosition: Position = 0;
  /** Behind the last record, also where compaction has removed it. */
  nextPosition: Position = 0;
  baseTimestamp: Millis = 0;
  maxTimestamp: Millis = 0;
  transactional = false;
  control = false;
  /** The log stamped the records when it took them. */
  appendTime = false;
  codec = 0;
  /** A sieve was asked: records may be left out. */
  sieved = false;
  /** A record may lie further than 2^34 ms from the first. */
  far = false;
  /** No position between the first and the last is missing. */
  dense = true;
  /** Where records are decompressed to. */
  readonly #plain = new Scratch();

  /**
   * Checks and decodes the batch that fills `bytes[start, end)`. Fails with `log.corrupt` where anything is
   * wrong, naming topic, partition and position; then `count` is 0.
   */
  open(bytes: Bytes, start: number, end: number, where: TopicPartition): void {
    this.count = 0;
    checkBatch(bytes, start, end, where);
    this.openChecked(bytes, start, end, where);
  }

  /**
   * As `open`, for batches that a reader of the log has handed over: their checksum was compared there. With a sieve
   * `count` and the columns have those records alone that it does not drop, unless the log has stamped the batch.
   */
  openChecked(bytes: Bytes, start: number, end: number, where: TopicPartition, sieve?: Sieve): void {
    this.count = 0;
    const count = recordCount(bytes, start);
    const delta = lastDelta(bytes, start);
    this.basePosition = basePosition(bytes, start);
    this.nextPosition = this.basePosition + delta + 1;
    this.baseTimestamp = baseTimestamp(bytes, start);
    this.maxTimestamp = maxTimestamp(bytes, start);
    this.transactional = isTransactional(bytes, start);
    this.control = isControl(bytes, start);
    this.appendTime = isAppendTime(bytes, start);
    this.codec = codecOf(bytes, start);
    this.dense = delta + 1 === count;
    this.far = false;
    let at = start + BATCH_HEADER_BYTES;
    this.bytes = bytes;
    if (this.codec !== CODEC.none) {
      this.bytes = decompressRecords(this.codec, bytes.subarray(at, end), where, this.basePosition, this.#plain);
      at = 0;
      end = this.bytes.length;
    }
    if (count * SMALLEST_RECORD > end - at) throw this.#broken(where, 0, `${count} records do not fit into it`);
    if (this.positions.length < count) this.#grow(count);
    const asked = this.appendTime ? undefined : sieve;
    this.sieved = asked !== undefined;
    asked?.begin(count);
    this.count = this.#decode(at, end, count, this.baseTimestamp, delta, where, asked);
    if (this.appendTime) this.timestamps.fill(this.maxTimestamp, 0, count);
  }

  /**
   * Nearly all records are alike: no varint is longer than two bytes but that of the time, which is from eight seconds
   * behind the first record of the batch on and has up to five; neither key nor value is null, there are no headers.
   * Such a one is decoded here, any other by `#decodeAny`. Answers how many have a place.
   */
  #decode(
    at: number,
    end: number,
    count: number,
    baseTime: Millis,
    lastRecord: number,
    where: TopicPartition,
    sieve: Sieve | undefined,
  ): number {
    const { bytes, positions, timestamps, keyStarts, keyEnds, valueStarts, valueEnds, basePosition } = this;
    const { bodyStarts, headerStarts, bodyEnds } = this;
    let before = -1;
    let i = 0;
    for (let record = 0; record < count; record++) {
      // A second byte above 127 makes a code of 16384 or more; the fifth byte of a time counts beyond 28 bits.
      let p = at;
      let length = bytes[p++]!;
      if (length > 127) length = (length & 127) | (bytes[p++]! << 7);
      const limit = p + (length >>> 1);
      if (length < 16384 && limit <= end && p + LONGEST_HEAD <= end) {
        let time = bytes[++p]!;
        let fifth = 0;
        if (time > 127) {
          time = (time & 127) | (bytes[++p]! << 7);
          if (time > 16383) time = (time & 16383) | (bytes[++p]! << 14);
          if (time > 2097151) time = (time & 2097151) | (bytes[++p]! << 21);
          if (time > 268435455) {
            time &= 268435455;
            fifth = bytes[++p]!;
          }
        }
        let delta = bytes[++p]!;
        if (delta > 127) delta = (delta & 127) | (bytes[++p]! << 7);
        const body = p + 1;
        let key = bytes[body]!;
        p = body + 1;
        if (key > 127) key = (key & 127) | (bytes[p++]! << 7);
        const keyStart = p;
        p += key >>> 1;
        if ((delta | key) < 16384 && fifth < 128 && p < limit) {
          const keyEnd = p;
          let value = bytes[p++]!;
          if (value > 127) value = (value & 127) | (bytes[p++]! << 7);
          const valueStart = p;
          p += value >>> 1;
          const position = delta >>> 1;
          const signs = (length | delta | key | value) & 1;
          if (
            value < 16384 &&
            signs === 0 &&
            p + 1 === limit &&
            bytes[p] === 0 &&
            position > before &&
            position <= lastRecord
          ) {
            before = position;
            at = limit;
            const half = (time >>> 1) + fifth * 134217728;
            const timestamp = baseTime + ((time & 1) === 0 ? half : -half - 1);
            if (sieve?.drops(i, timestamp, bytes, valueStart, p)) continue;
            positions[i] = basePosition + position;
            timestamps[i] = timestamp;
            bodyStarts[i] = body;
            keyStarts[i] = keyStart;
            keyEnds[i] = keyEnd;
            valueStarts[i] = valueStart;
            valueEnds[i] = p;
            headerStarts[i] = p;
            bodyEnds[i++] = limit;
            continue;
          }
        }
      }
      at = this.#decodeAny(i, record, at, end, before, baseTime, lastRecord, where);
      before = positions[i]! - basePosition;
      if (!sieve?.drops(i, timestamps[i]!, bytes, valueStarts[i]!, valueEnds[i]!)) i++;
    }
    if (at !== end) throw this.#broken(where, count, `${end - at} bytes stand behind the last record`);
    sieve?.end(i);
    return i;
  }

  /** Any record, and what is wrong with it; answers where the next one begins. */
  #decodeAny(
    i: number,
    record: number,
    at: number,
    end: number,
    before: number,
    baseTime: Millis,
    lastRecord: number,
    where: TopicPartition,
  ): number {
    const { bytes } = this;
    const length = readSigned(bytes, at, end);
    const body = varintEnd;
    const limit = body + length;
    if (!(length >= SMALLEST_RECORD - 1 && limit <= end)) throw this.#broken(where, record, 'its length does not fit');

    const time = readSigned(bytes, body + 1, limit);
    const delta = readSigned(bytes, varintEnd, limit);
    if (!(delta > before && delta <= lastRecord)) throw this.#broken(where, record, 'its position does not rise');
    const timestamp = baseTime + time;
    if (Number.isNaN(timestamp)) throw this.#broken(where, record, 'its timestamp does not fit');
    if (time > FAR || time < -FAR) this.far = true;
    this.positions[i] = this.basePosition + delta;
    this.timestamps[i] = timestamp;

    this.bodyStarts[i] = varintEnd;
    const keyLength = readSigned(bytes, varintEnd, limit);
    at = varintEnd;
    if (keyLength >= 0 && keyLength <= limit - at) {
      this.keyStarts[i] = at;
      at += keyLength;
      this.keyEnds[i] = at;
    } else if (keyLength === -1) {
      this.keyStarts[i] = -1;
      this.keyEnds[i] = -1;
    } else throw this.#broken(where, record, 'its key does not fit');

    const valueLength = readSigned(bytes, at, limit);
    at = varintEnd;
    if (valueLength >= 0 && valueLength < limit - at) {
      this.valueStarts[i] = at;
      at += valueLength;
      this.valueEnds[i] = at;
    } else if (valueLength === -1 && at < limit) {
      this.valueStarts[i] = -1;
      this.valueEnds[i] = -1;
    } else throw this.#broken(where, record, 'its value does not fit');

    this.headerStarts[i] = at;
    this.bodyEnds[i] = limit;
    if (bytes[at] === 0) at++;
    else at = headersEnd(bytes, at, limit);
    if (at !== limit) throw this.#broken(where, record, 'its headers do not fit');
    return limit;
  }

  /** Whether times may lie beyond 2^53, or further before 1970 than a record of an ordinary batch; told by its head. */
  get oddTimes(): boolean {
    const base = this.baseTimestamp;
    return this.far || !(base >= 0 && base <= Number.MAX_SAFE_INTEGER - FAR);
  }

  #grow(count: number): void {
    const size = Math.max(64, 2 ** Math.ceil(Math.log2(count)));
    this.positions = new Float64Array(size);
    this.timestamps = new Float64Array(size);
    this.keyStarts = new Int32Array(size);
    this.keyEnds = new Int32Array(size);
    this.valueStarts = new Int32Array(size);
    this.valueEnds = new Int32Array(size);
    this.bodyStarts = new Int32Array(size);
    this.headerStarts = new Int32Array(size);
    this.bodyEnds = new Int32Array(size);
  }

  #broken(where: TopicPartition, record: number, why: string): Error {
    return corrupt(where, this.basePosition, `record ${record} of it: ${why}`);
  }
}
