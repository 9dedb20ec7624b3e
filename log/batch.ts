/**
 * Record batches in Kafka's v2 format: the second door of this room, for whoever reads or writes
 * records. The layout (KIP-98; Apache Kafka, clients/.../record/DefaultRecordBatch.java):
 *
 *     0 baseOffset int64 · 8 batchLength int32 (bytes behind it) · 12 partitionLeaderEpoch int32 · 16 magic int8 = 2
 *     17 crc uint32 (CRC-32C of everything from 21) · 21 attributes int16 · 23 lastOffsetDelta int32
 *     27 baseTimestamp int64 · 35 maxTimestamp int64 · 43 producerId int64 · 51 producerEpoch int16
 *     53 baseSequence int32 · 57 recordCount int32 · 61 records
 *
 * A record: length varint, attributes int8, timestampDelta varlong, offsetDelta varint, keyLength varint
 * (-1 null), key, valueLength varint (-1 null), value, headerCount varint, headers. All varints zigzag.
 *
 * `BatchView` decodes a batch into columns without making an object per record; `BatchBuilder` encodes one
 * in place and is an {@link Undoable}, so that a record's output can be taken back.
 */

export { lend as lendBuffer } from '../core/buffer-pool.ts';
export { BatchBuilder } from './batch-builder.ts';
export {
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  type BatchHeader,
  basePosition,
  batchHeader,
  batchLength,
  CODEC,
  checkBatch,
} from './batch-header.ts';
export { BatchView, type Sieve } from './batch-view.ts';
export { type Compression, compressBatch } from './compression.ts';
export { crc32c } from './crc32c.ts';
export { eachHeader, encodeHeaders, type HeaderPair, readHeaders } from './headers.ts';
export { appendPlain, type PlainRecord, readPlain } from './plain-record.ts';
