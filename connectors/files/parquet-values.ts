import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Compressors, ParquetReadOptions } from 'hyparquet';

/** Times as whole milliseconds since the epoch, as if UTC, where the library would make objects. */
export const PARSERS: NonNullable<ParquetReadOptions['parsers']> = {
  timestampFromMilliseconds: (millis) => Number(millis),
  timestampFromMicroseconds: (micros) => Math.floor(Number(micros) / 1000),
  timestampFromNanoseconds: (nanos) => Math.floor(Number(nanos / 1000n) / 1000),
  dateFromDays: (days) => days * 86_400_000,
};

/** What the library does not bring itself; it brings snappy. A page may not grow beyond the size it states. */
export const COMPRESSORS: Compressors = {
  ZSTD: (input, size) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
  GZIP: (input, size) => gunzipSync(input, { maxOutputLength: Math.max(1, size) }),
  BROTLI: (input, size) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
};
