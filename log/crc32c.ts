import { createRequire } from 'node:module';
import type { Bytes } from '../core/bytes.ts';

/** The Castagnoli polynomial, lowest power in the highest bit. */
const POLYNOMIAL = 0x82f63b78;

type Checksum = (bytes: Bytes, start: number, end: number) => number;

const TABLE = slicingTable();
const ZEROS = zeroFactors();

/** CRC-32C (Castagnoli) of `bytes[start, end)`, unsigned, in plain JavaScript: eight bytes a round. */
export function crc32cPlain(bytes: Bytes, start: number, end: number): number {
  const table = TABLE;
  let crc = -1;
  let at = start;
  for (const last = end - 7; at < last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      table[1792 + (crc & 255)]! ^
      table[1536 + ((crc >>> 8) & 255)]! ^
      table[1280 + ((crc >>> 16) & 255)]! ^
      table[1024 + (crc >>> 24)]! ^
      table[768 + bytes[at + 4]!]! ^
      table[512 + bytes[at + 5]!]! ^
      table[256 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = table[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The native function, or `undefined` where this platform has none. */
export const crc32cNative: Checksum | undefined = loadNative();

/**
 * Few bytes are summed sooner than a native function is reached whose code has left the processor's caches: in a third of
 * the time where batches come seldom, and at most by a fifth of a microsecond too late where they come one after the other.
 */
const PLAIN_BYTES = 512;

/** CRC-32C of `bytes[start, end)`, unsigned. */
export const crc32c: Checksum = crc32cNative === undefined ? crc32cPlain : whicheverIsSooner(crc32cNative);

function whicheverIsSooner(native: Checksum): Checksum {
  return (bytes, start, end) =>
    end - start <= PLAIN_BYTES ? crc32cPlain(bytes, start, end) : native(bytes, start, end);
}

/**
 * The checksum `crc` of some bytes after their beginning was replaced by another of the same length, without a look
 * at the `length` bytes behind it: `before` and `after` are the checksums of the two beginnings alone. A checksum is
 * linear, so what the beginnings differ by is carried on over as many zeros. A wrong `crc` stays wrong.
 */
export function crc32cReplaced(crc: number, before: number, after: number, length: number): number {
  let difference = before ^ after;
  for (let rest = length, power = 0; rest > 0 && difference !== 0; rest >>>= 1, power++) {
    if ((rest & 1) === 1) difference = product(ZEROS[power]!, difference);
  }
  return (crc ^ difference) >>> 0;
}

function loadNative(): Checksum | undefined {
  try {
    const native = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c(bytes: Uint8Array): number };
    return (bytes, start, end) => native.crc32c(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** Row k of 256 entries: the effect of a byte with k bytes behind it. */
function slicingTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256]!;
    table[at] = (before >>> 8) ^ table[before & 255]!;
  }
  return table;
}

/** Product of two polynomials modulo ours. */
function product(a: number, b: number): number {
  let sum = 0;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) sum ^= b;
    b = (b >>> 1) ^ (b & 1 ? POLYNOMIAL : 0);
  }
  return sum;
}

/** Entry k: the factor that carries a checksum over 2^k bytes of zeros. */
function zeroFactors(): Int32Array {
  const factors = new Int32Array(31);
  factors[0] = 1 << 23;
  for (let k = 1; k < factors.length; k++) factors[k] = product(factors[k - 1]!, factors[k - 1]!);
  return factors;
}
