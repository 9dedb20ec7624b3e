import zlib from 'node:zlib';
import type { Bytes } from '../../core/bytes.ts';
import { CODEC } from '../batch.ts';
import { decompressRecords } from '../compression.ts';
import { packLz4 } from '../lz4.ts';
import { Scratch } from '../scratch.ts';
import type { Library } from './library.ts';

/** What the library asks of a codec. */
interface Codec {
  compress(encoder: { readonly buffer: Bytes }): Promise<Bytes>;
  decompress(packed: Bytes): Promise<Bytes>;
}

const NOWHERE = { topic: 'a topic', partition: 0 };
/** An LZ4 frame is no larger than its content by more than this, a block at a time. */
const FRAME_BYTES = 64;

const PACK: Readonly<Record<number, (plain: Bytes) => Bytes>> = {
  [CODEC.lz4]: (plain) => {
    const room = Buffer.allocUnsafe(plain.length + FRAME_BYTES + (plain.length >> 10));
    return room.subarray(0, packLz4(plain, room, 0));
  },
  [CODEC.zstd]: (plain) => zlib.zstdCompressSync(plain),
};

/** Gives the library the codecs that it has not, where the application has not given it some itself. */
export function installCodecs({ CompressionCodecs }: Library): void {
  const codecs = CompressionCodecs as Record<number, () => unknown>;
  for (const codec of [CODEC.snappy, CODEC.lz4, CODEC.zstd]) {
    if (!isThere(codecs[codec])) codecs[codec] = () => codecOf(codec);
  }
}

/** The library has functions that throw in the places of the codecs it does not have. */
function isThere(codec: (() => unknown) | undefined): boolean {
  try {
    return codec?.() !== undefined;
  } catch {
    return false;
  }
}

function codecOf(codec: number): Codec {
  return {
    async compress({ buffer }) {
      const pack = PACK[codec];
      if (pack === undefined) throw new Error(`codec ${codec} is only read`);
      return pack(buffer);
    },
    async decompress(packed) {
      return Buffer.from(decompressRecords(codec, packed, NOWHERE, -1, new Scratch()));
    },
  };
}
