import zlib from 'node:zlib';
import { lend, recycle } from '../core/buffer-pool.ts';
import type { Bytes } from '../core/bytes.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import { type Position, partitionName, type TopicPartition } from '../core/ids.ts';
import { BATCH_HEADER_BYTES, CODEC, corrupt, packHeader } from './batch-header.ts';
import { packLz4, unpackLz4 } from './lz4.ts';
import { Scratch } from './scratch.ts';
import { unpackSnappy } from './snappy.ts';

/** No batch may grow beyond this; a few bytes could otherwise ask for all memory. */
const LARGEST_RECORDS_BYTES = 1 << 28;
const ZLIB_LIMIT = { maxOutputLength: LARGEST_RECORDS_BYTES };

/** What batches can be written with; all of Kafka's codecs are read. */
export type Compression = 'none' | 'lz4' | 'zstd';

/**
 * The plain records of a compressed batch, in the memory of `scratch` or in memory of their own. Fails with
 * `log.corrupt` or, where the library of the codec cannot be loaded here, with `log.unsupported`.
 */
export function decompressRecords(
  codec: number,
  packed: Bytes,
  where: TopicPartition,
  position: Position,
  scratch: Scratch,
): Bytes {
  scratch.restart();
  try {
    if (codec === CODEC.gzip) return zlib.gunzipSync(packed, ZLIB_LIMIT);
    if (codec === CODEC.zstd) return zlib.zstdDecompressSync(packed, ZLIB_LIMIT);
    if (codec === CODEC.lz4) return unpackLz4(packed, scratch, LARGEST_RECORDS_BYTES);
    if (codec === CODEC.snappy) return unpackSnappy(packed, scratch, LARGEST_RECORDS_BYTES);
  } catch (thrown) {
    if (isLoadFailure(thrown)) {
      throw new FlowError(
        'log.unsupported',
        `batch of ${partitionName(where.topic, where.partition)} at position ${position} is compressed with ` +
          `${codecName(codec)}, whose library cannot be loaded (${messageOf(thrown)}); install the optional ` +
          'dependencies of this platform, or write the topic with gzip, zstd or no compression',
      );
    }
    throw corrupt(where, position, `its records cannot be decompressed (${messageOf(thrown)})`);
  }
  throw corrupt(where, position, `codec ${codec} is not known`);
}

const packing = new Scratch();

/**
 * Compresses a plain batch, whose own CRC need not stand: answers it in other memory, its CRC valid, and gives its own
 * back; or answers it as it is where compression would not make it smaller.
 */
export function compressBatch(batch: Bytes, compression: Compression): Bytes {
  if (compression === 'none') return batch;
  // packed where there is room for the worst, then kept in no more memory than it takes: it may wait for long
  const room = packing.room(batch.length, 0).subarray(0, batch.length - 1);
  const records = batch.subarray(BATCH_HEADER_BYTES);
  const end = compression === 'lz4' ? packLz4(records, room, BATCH_HEADER_BYTES) : packZstd(records, room);
  if (end === -1) return batch;
  packHeader(batch, room, end, CODEC[compression]);
  recycle(batch);
  const packed = lend(end);
  room.copy(packed, 0, 0, end);
  return packed.subarray(0, end);
}

function packZstd(records: Bytes, room: Bytes): number {
  const packed = zlib.zstdCompressSync(records);
  const end = BATCH_HEADER_BYTES + packed.length;
  if (end > room.length) return -1;
  packed.copy(room, BATCH_HEADER_BYTES);
  return end;
}

function codecName(codec: number): string {
  return Object.keys(CODEC).find((key) => CODEC[key as keyof typeof CODEC] === codec) ?? String(codec);
}

/** Node's own codes, and the plain error of a package that finds no build for its platform. */
function isLoadFailure(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_FAILED' || /native binding|napi/i.test(thrown.message);
}
