import { type Bytes, type ByteWriter, writeInt64 } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';

/** Version 1 of a row as the changelog and the disk hold it: the version, the timestamp as int64, the value. */
export const IMAGE_VERSION = 1;
export const IMAGE_HEADER = 9;

export function writeImageHeader(out: ByteWriter, timestamp: Millis): void {
  out.reserve(IMAGE_HEADER);
  out.bytes[out.at] = IMAGE_VERSION;
  writeInt64(out.bytes, out.at + 1, timestamp);
  out.at += IMAGE_HEADER;
}

/** Fails where a newer version, or something else altogether, lies there. */
export function checkImage(table: string, bytes: Bytes, start: number, end: number): void {
  if (end - start >= IMAGE_HEADER && bytes[start] === IMAGE_VERSION) return;
  throw new FlowError(
    'state.format',
    `a row of table ${table} has format ${bytes[start]}, this version reads ${IMAGE_VERSION}: use the version that wrote it or a newer one`,
  );
}

/** Where the value of a row begins, as the changelog has it. */
export function imageValue(table: string, bytes: Bytes, start: number, end: number): number {
  checkImage(table, bytes, start, end);
  return start + IMAGE_HEADER;
}

/** Whether a changelog value says that its pane is dropped: no row is as short. */
export function isPaneDrop(valueStart: number, valueEnd: number): boolean {
  return valueStart >= 0 && valueEnd - valueStart < IMAGE_HEADER;
}
