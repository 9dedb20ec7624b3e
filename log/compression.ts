import zlib from 'node:zlib';
import type { Bytes } from '../core/bytes.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import { type Position, partitionName, type TopicPartition } from '../core/ids.ts';
import { CODEC, corrupt } from './batch-header.ts';

/** No batch may grow beyond this; a few bytes could otherwise ask for all memory. */
const LARGEST_RECORDS_BYTES = 1 << 28;

/** The plain records of a compressed batch. Fails with `log.corrupt` or, for an unknown codec, `log.unsupported`. */
export function decompressRecords(codec: number, packed: Bytes, where: TopicPartition, position: Position): Bytes {
  const unpack = unpacker(codec);
  if (unpack === undefined) {
    const name = Object.keys(CODEC).find((key) => CODEC[key as keyof typeof CODEC] === codec) ?? String(codec);
    throw new FlowError(
      'log.unsupported',
      `batch of ${partitionName(where.topic, where.partition)} at position ${position} is compressed with ${name}, ` +
        'which cannot be read here; write the topic with gzip, zstd or no compression',
    );
  }
  try {
    return unpack(packed, { maxOutputLength: LARGEST_RECORDS_BYTES });
  } catch (thrown) {
    throw corrupt(where, position, `its records cannot be decompressed (${messageOf(thrown)})`);
  }
}

type Unpack = (packed: Bytes, options: { maxOutputLength: number }) => Bytes;

function unpacker(codec: number): Unpack | undefined {
  if (codec === CODEC.gzip) return zlib.gunzipSync;
  if (codec === CODEC.zstd) return zlib.zstdDecompressSync;
  return undefined;
}
