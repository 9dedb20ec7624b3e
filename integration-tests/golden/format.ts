import type { Bytes } from '../../core/bytes.ts';
import type { Json } from '../../core/ids.ts';

/** A format on disk or in a topic, of which data of each version that was ever written stays in `kept/`. */
export interface Format {
  /** Of its files: `<name>-<version>.json`. */
  readonly name: string;
  /** As the code says; raised when older code cannot read what is written now. */
  readonly version: number;
  /** What a new file begins with. */
  sample(): Promise<Json>;
  /** As it is stored: bytes in Base64. */
  write(value: Json): Promise<Json>;
  read(written: Json): Promise<Json>;
}

export function base64(bytes: Bytes, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.subarray(start, end)).toString('base64');
}

export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
