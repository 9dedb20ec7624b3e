import { createRequire } from 'node:module';
import type { Bytes } from '../core/bytes.ts';
import type { Scratch } from './scratch.ts';

/**
 * Snappy as Kafka has it: in the framing of the Java library (xerial/snappy-java, SnappyOutputStream: a header of 16
 * bytes, then chunks with their length in front), or one bare block, as some clients for other languages write it.
 */
const MAGIC = Buffer.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const HEADER_BYTES = 16;

type UnpackBlock = (block: Uint8Array, options: { readonly copyOutputData: boolean }) => Bytes;

/** Without this each block would be memory outside the heap with a finalizer: five times the cost. */
const COPIED = { copyOutputData: true };

let unpackBlock: UnpackBlock | undefined;

/** The plain bytes, where there are several chunks in the memory of `scratch`. Throws where anything does not fit. */
export function unpackSnappy(packed: Bytes, scratch: Scratch, limit: number): Bytes {
  if (!isHeader(packed, 0)) return openBlock(packed, limit);
  let filled = 0;
  for (let at = 0; at < packed.length; ) {
    if (isHeader(packed, at)) {
      at += HEADER_BYTES;
      continue;
    }
    const start = at + 4;
    const end = start <= packed.length ? start + packed.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > packed.length) throw new Error('a chunk of snappy is cut off');
    const plain = openBlock(packed.subarray(start, end), limit - filled);
    plain.copy(scratch.room(filled + plain.length, filled), filled);
    filled += plain.length;
    at = end;
  }
  return scratch.room(filled, filled).subarray(0, filled);
}

function isHeader(packed: Bytes, at: number): boolean {
  return packed.length >= at + HEADER_BYTES && MAGIC.compare(packed, at, at + MAGIC.length) === 0;
}

function openBlock(block: Bytes, limit: number): Bytes {
  const size = plainSize(block);
  if (size > limit) throw new Error(`${size} bytes would come out of a block of snappy`);
  unpackBlock ??= (createRequire(import.meta.url)('snappy') as { uncompressSync: UnpackBlock }).uncompressSync;
  return unpackBlock(block, COPIED);
}

/** A block begins with its plain size: a varint of at most 32 bits. */
function plainSize(block: Bytes): number {
  let size = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    size += (block[i]! & 127) * 128 ** i;
    if (block[i]! < 128) return size;
  }
  throw new Error('a block of snappy does not begin with its size');
}
