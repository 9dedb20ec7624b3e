import { createRequire } from 'node:module';
import type { Bytes } from '../core/bytes.ts';
import { Lz4Packer } from './lz4-packer.ts';
import { Scratch } from './scratch.ts';

/**
 * LZ4 frames (lz4/lz4, doc/lz4_Frame_format.md). Written as Kafka's Java client writes them: independent blocks of
 * 64 KiB, no checksums, no content size. Read in every variant but those that need a dictionary from elsewhere. The
 * checksums of a frame are not compared: the checksum of the batch covers the same bytes.
 */
const MAGIC = 0x184d2204;
/** Of frames that decoders pass over: the lowest four bits may be anything. */
const SKIPPED_MAGIC = 0x184d2a50;

const INDEPENDENT = 32;
const BLOCK_CHECKSUM = 16;
const CONTENT_SIZE = 8;
const CONTENT_CHECKSUM = 4;
const DICTIONARY = 1;

/** How far back a block may point into those before it. */
const WINDOW_BYTES = 64 << 10;
const BLOCK_BYTES = 64 << 10;
/** Magic, version 1 with independent blocks, blocks of 64 KiB, and the check byte of these two. */
const FRAME_HEADER = Buffer.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
/** In the length of a block: it is stored as it is. */
const STORED = 0x80000000;

/** What `lz4-napi` does with a block that has its greatest plain size in front of it. */
type UnpackBlock = (sizedBlock: Uint8Array, before?: Uint8Array) => Bytes;

let unpackBlock: UnpackBlock | undefined;
let packer: Lz4Packer | undefined;
const sized = new Scratch();

/** The plain bytes of all frames, in the memory of `scratch`. Throws where anything does not fit. */
export function unpackLz4(packed: Bytes, scratch: Scratch, limit: number): Bytes {
  let at = 0;
  let filled = 0;
  while (at < packed.length) {
    need(packed, at, 8);
    const magic = packed.readUInt32LE(at);
    if (magic >>> 4 === SKIPPED_MAGIC >>> 4) {
      const length = packed.readUInt32LE(at + 4);
      need(packed, at + 8, length);
      at += 8 + length;
      continue;
    }
    if (magic !== MAGIC) throw new Error(`no LZ4 frame begins with ${magic.toString(16)}`);
    const flags = packed[at + 4]!;
    const blockCode = (packed[at + 5]! >>> 4) & 7;
    if (flags >>> 6 !== 1) throw new Error(`LZ4 frame version ${flags >>> 6} is not known`);
    if ((flags & DICTIONARY) !== 0) throw new Error('the LZ4 frame needs a dictionary');
    if (blockCode < 4) throw new Error(`LZ4 block size ${blockCode} is not known`);
    const blockBytes = 1 << (8 + 2 * blockCode);
    const first = filled;
    at += 6 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8) + 1;
    for (;;) {
      need(packed, at, 4);
      const word = packed.readUInt32LE(at);
      at += 4;
      if (word === 0) break;
      const length = word & ~STORED;
      if (length > blockBytes) throw new Error(`an LZ4 block of ${length} bytes is larger than its frame allows`);
      need(packed, at, length);
      if (word >= STORED) {
        packed.copy(scratch.room(filled + length, filled), filled, at, at + length);
        filled += length;
      } else {
        const window =
          (flags & INDEPENDENT) === 0 && filled > first
            ? scratch.room(filled, filled).subarray(Math.max(first, filled - WINDOW_BYTES), filled)
            : undefined;
        const plain = openBlock(packed.subarray(at, at + length), blockBytes, window);
        plain.copy(scratch.room(filled + plain.length, filled), filled);
        filled += plain.length;
      }
      if (filled > limit) throw new Error(`more than ${limit} bytes come out of it`);
      at += length + ((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4);
    }
    if ((flags & CONTENT_CHECKSUM) !== 0) at += 4;
    need(packed, at, 0);
  }
  return scratch.room(filled, filled).subarray(0, filled);
}

/** Fills `target` from `at` with one frame; answers its end, or -1 where it does not fit. */
export function packLz4(plain: Bytes, target: Bytes, at: number): number {
  packer ??= new Lz4Packer();
  if (at + FRAME_HEADER.length > target.length) return -1;
  at += FRAME_HEADER.copy(target, at);
  for (let start = 0; start < plain.length; start += BLOCK_BYTES) {
    const block = plain.subarray(start, start + BLOCK_BYTES);
    const room = target.length - at - 4;
    if (room < 0) return -1;
    const packed = packer.pack(block, target, at + 4, Math.min(block.length, room + 1));
    if (packed >= 0) target.writeUInt32LE(packed, at);
    else if (block.length > room) return -1;
    else {
      target.writeUInt32LE(STORED + block.length, at);
      block.copy(target, at + 4);
    }
    at += 4 + (packed < 0 ? block.length : packed);
  }
  if (at + 4 > target.length) return -1;
  return target.writeUInt32LE(0, at);
}

function openBlock(block: Bytes, atMost: number, before: Bytes | undefined): Bytes {
  unpackBlock ??= loadUnpackBlock();
  const length = block.length + 4;
  const input = sized.room(length, 0).subarray(0, length);
  input.writeUInt32LE(atMost, 0);
  block.copy(input, 4);
  return unpackBlock(input, before);
}

function need(packed: Bytes, at: number, length: number): void {
  if (at + length > packed.length) throw new Error('the LZ4 frame ends too early');
}

function loadUnpackBlock(): UnpackBlock {
  return (createRequire(import.meta.url)('lz4-napi') as { uncompressSync: UnpackBlock }).uncompressSync;
}
