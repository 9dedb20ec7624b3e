import { type Bytes, readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../core/ids.ts';
import { crc32c, crc32cPlain, crc32cReplaced } from './crc32c.ts';

/** Bytes before the first record. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes that `batchLength` needs. */
export const BATCH_PREFIX_BYTES = 12;

/** Compression of the records of a batch: the lowest three bits of its attributes. */
export const CODEC = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

const CODEC_MASK = 7;
const APPEND_TIME = 8;
const TRANSACTIONAL = 16;
const CONTROL = 32;
const MAGIC = 2;

/** The header as an object, for tools and tests. */
export interface BatchHeader {
  readonly basePosition: Position;
  readonly lastPosition: Position;
  /** All bytes of the batch. */
  readonly length: number;
  readonly leaderEpoch: number;
  readonly crc: number;
  readonly codec: number;
  /** Who stamped the records: their writer, or the log when it appended them. */
  readonly timestampType: 'create' | 'append';
  readonly transactional: boolean;
  readonly control: boolean;
  readonly baseTimestamp: Millis;
  readonly maxTimestamp: Millis;
  /** -1 where the producer has none. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

export function batchHeader(bytes: Bytes, start: number): BatchHeader {
  return {
    basePosition: basePosition(bytes, start),
    lastPosition: lastPosition(bytes, start),
    length: batchLength(bytes, start),
    leaderEpoch: readInt32(bytes, start + 12),
    crc: readInt32(bytes, start + 17) >>> 0,
    codec: codecOf(bytes, start),
    timestampType: isAppendTime(bytes, start) ? 'append' : 'create',
    transactional: isTransactional(bytes, start),
    control: isControl(bytes, start),
    baseTimestamp: baseTimestamp(bytes, start),
    maxTimestamp: maxTimestamp(bytes, start),
    producerId: producerId(bytes, start),
    producerEpoch: producerEpoch(bytes, start),
    baseSequence: baseSequence(bytes, start),
    count: recordCount(bytes, start),
  };
}

/** All bytes of the batch that begins at `start`; needs its first 12. May be any number where bytes are corrupt. */
export function batchLength(bytes: Bytes, start: number): number {
  return readInt32(bytes, start + 8) + BATCH_PREFIX_BYTES;
}

export function basePosition(bytes: Bytes, start: number): Position {
  return readInt64(bytes, start);
}

/** The position of the last record, also where compaction has removed it. */
export function lastPosition(bytes: Bytes, start: number): Position {
  return readInt64(bytes, start) + readInt32(bytes, start + 23);
}

/** `lastPosition - basePosition`. */
export function lastDelta(bytes: Bytes, start: number): number {
  return readInt32(bytes, start + 23);
}

export function attributes(bytes: Bytes, start: number): number {
  return readInt16(bytes, start + 21);
}

export function codecOf(bytes: Bytes, start: number): number {
  return bytes[start + 22]! & CODEC_MASK;
}

export function isAppendTime(bytes: Bytes, start: number): boolean {
  return (bytes[start + 22]! & APPEND_TIME) !== 0;
}

export function isTransactional(bytes: Bytes, start: number): boolean {
  return (bytes[start + 22]! & TRANSACTIONAL) !== 0;
}

export function isControl(bytes: Bytes, start: number): boolean {
  return (bytes[start + 22]! & CONTROL) !== 0;
}

export function baseTimestamp(bytes: Bytes, start: number): Millis {
  return readInt64(bytes, start + 27);
}

export function maxTimestamp(bytes: Bytes, start: number): Millis {
  return readInt64(bytes, start + 35);
}

export function producerId(bytes: Bytes, start: number): number {
  return readInt64(bytes, start + 43);
}

export function producerEpoch(bytes: Bytes, start: number): number {
  return readInt16(bytes, start + 51);
}

export function baseSequence(bytes: Bytes, start: number): number {
  return readInt32(bytes, start + 53);
}

export function recordCount(bytes: Bytes, start: number): number {
  return readInt32(bytes, start + 57);
}

/** Stamps where the batch stands. Not covered by the CRC. */
export function stampPosition(bytes: Bytes, start: number, position: Position): void {
  writeInt64(bytes, start, position);
}

export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
}

/**
 * Stamps who wrote the batch, whose CRC stands already. Only what changed goes into the CRC anew, so this costs the
 * same for any batch, and one that was damaged before is still found to be.
 */
export function stampProducer(bytes: Bytes, start: number, stamp: ProducerStamp): void {
  const records = start + BATCH_HEADER_BYTES;
  const before = crc32cPlain(bytes, start + 21, records);
  const low = bytes[start + 22]!;
  bytes[start + 22] = stamp.transactional ? low | TRANSACTIONAL : low & ~TRANSACTIONAL;
  writeInt64(bytes, start + 43, stamp.producerId);
  writeInt16(bytes, start + 51, stamp.producerEpoch);
  writeInt32(bytes, start + 53, stamp.baseSequence);
  const after = crc32cPlain(bytes, start + 21, records);
  const crc = crc32cReplaced(
    readInt32(bytes, start + 17),
    before,
    after,
    batchLength(bytes, start) - BATCH_HEADER_BYTES,
  );
  writeInt32(bytes, start + 17, crc);
}

export function stampCrc(bytes: Bytes, start: number): void {
  writeInt32(bytes, start + 17, crc32c(bytes, start + 21, start + batchLength(bytes, start)));
}

/** What a header says besides where it lies; every batch of ours is written through this. */
export interface HeaderFields {
  readonly attributes: number;
  readonly lastDelta: number;
  readonly baseTimestamp: Millis;
  readonly maxTimestamp: Millis;
  readonly count: number;
}

/** Writes the header of a batch over `bytes[start, end)`, whose records stand already: no position, no producer. */
export function writeHeader(bytes: Bytes, start: number, end: number, fields: HeaderFields): void {
  const { attributes, lastDelta, baseTimestamp, maxTimestamp, count } = fields;
  writeUnsealedHeader(bytes, start, end, attributes, lastDelta, baseTimestamp, maxTimestamp, count);
  stampCrc(bytes, start);
}

/** The same, but for the CRC, which is yet to be stamped, and without an object for each batch. */
export function writeUnsealedHeader(
  bytes: Bytes,
  start: number,
  end: number,
  attributes: number,
  lastDelta: number,
  baseTimestamp: Millis,
  maxTimestamp: Millis,
  count: number,
): void {
  writeInt64(bytes, start, 0);
  writeInt32(bytes, start + 8, end - start - BATCH_PREFIX_BYTES);
  writeInt32(bytes, start + 12, -1);
  bytes[start + 16] = MAGIC;
  writeInt16(bytes, start + 21, attributes);
  writeInt32(bytes, start + 23, lastDelta);
  writeInt64(bytes, start + 27, baseTimestamp);
  writeInt64(bytes, start + 35, maxTimestamp);
  writeInt64(bytes, start + 43, -1);
  writeInt16(bytes, start + 51, -1);
  writeInt32(bytes, start + 53, -1);
  writeInt32(bytes, start + 57, count);
}

/** Writes to `target` the header of the plain batch `bytes`, sealed or not, whose records were packed into `target` up to `end`. */
export function packHeader(bytes: Bytes, target: Bytes, end: number, codec: number): void {
  bytes.copy(target, 0, 0, BATCH_HEADER_BYTES);
  writeInt32(target, 8, end - BATCH_PREFIX_BYTES);
  target[22] = (target[22]! & ~CODEC_MASK) | codec;
  stampCrc(target, 0);
}

/** Attribute bits of a control batch. */
export const CONTROL_ATTRIBUTES = TRANSACTIONAL | CONTROL;

/**
 * Checks that one whole batch lies in `bytes[start, end)`: its structure, format and CRC. Fails with
 * `log.corrupt`, naming topic, partition and position, or with `log.unsupported` for an older format.
 */
export function checkBatch(bytes: Bytes, start: number, end: number, where: TopicPartition): void {
  const length = end - start;
  if (start < 0 || end > bytes.length || length < BATCH_HEADER_BYTES) {
    throw corrupt(where, -1, `${length} bytes are too few for a batch`);
  }
  const position = basePosition(bytes, start);
  if (batchLength(bytes, start) !== length) {
    throw corrupt(where, position, `its length field says ${batchLength(bytes, start)} bytes, there are ${length}`);
  }
  if (bytes[start + 16] !== MAGIC) {
    throw corrupt(where, position, `it has format ${bytes[start + 16]}; only format 2 is read`);
  }
  const stored = readInt32(bytes, start + 17) >>> 0;
  const computed = crc32c(bytes, start + 21, end);
  if (stored !== computed) {
    throw corrupt(where, position, `its checksum is ${hex(computed)}, the header says ${hex(stored)}`);
  }
  const count = recordCount(bytes, start);
  const delta = lastDelta(bytes, start);
  if (count < 0 || delta < 0 || delta < count - 1) {
    throw corrupt(where, position, `${count} records do not fit a last position ${delta} behind the first`);
  }
  if (codecOf(bytes, start) > CODEC.zstd) throw corrupt(where, position, `codec ${codecOf(bytes, start)} is not known`);
  if (
    !Number.isSafeInteger(position + delta) ||
    position < 0 ||
    !Number.isSafeInteger(baseTimestamp(bytes, start)) ||
    !Number.isSafeInteger(maxTimestamp(bytes, start))
  ) {
    throw corrupt(where, position, 'its position or a timestamp is out of range');
  }
}

/** The error for bytes that are no batch; `position` -1 where it is not known. */
export function corrupt(where: TopicPartition, position: Position, why: string): FlowError {
  const place = partitionName(where.topic, where.partition);
  const at = position === -1 ? '' : ` at position ${position}`;
  return new FlowError(
    'log.corrupt',
    `batch of ${place}${at} is corrupt: ${why}; restore its segment, or skip past it`,
  );
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
