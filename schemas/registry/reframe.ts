import type { Bytes, ByteWriter } from '../../core/bytes.ts';
import type { Serde } from '../schemas.ts';

const HEADER_BYTES = 5;

/**
 * Appends a value in another format where both have one body and only the header makes the difference: between topics
 * of bare Avro values and stores that keep the schema of their rows. False where it has to be decoded and encoded.
 */
export function reframe(
  from: Serde<unknown>,
  to: Serde<unknown>,
  bytes: Bytes,
  start: number,
  end: number,
  out: ByteWriter,
): boolean {
  const target = to.registered;
  if (target?.id !== undefined && target.bare === from.name) {
    out.byte(0);
    out.int32(target.id);
    out.copy(bytes, start, end);
    return true;
  }
  const source = from.registered;
  if (source?.isOwn === undefined || source.bare !== to.name || !source.isOwn(bytes, start, end)) return false;
  out.copy(bytes, start + HEADER_BYTES, end);
  return true;
}
