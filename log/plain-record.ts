import { type Bytes, EMPTY } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { BatchBuilder } from './batch-builder.ts';
import type { BatchView } from './batch-view.ts';
import { encodeHeaders, type HeaderPair, readHeaders } from './headers.ts';

/** A record as an object. For tools, client libraries and dead letters, not the record path. */
export interface PlainRecord {
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  readonly timestamp: Millis;
  readonly headers: readonly HeaderPair[];
}

const NO_HEADERS = encodeHeaders([]);

export function appendPlain(builder: BatchBuilder, { key, value, timestamp, headers }: PlainRecord): void {
  const section = headers.length === 0 ? NO_HEADERS : encodeHeaders(headers);
  builder.appendWithHeaders(
    timestamp,
    key ?? EMPTY,
    key === null ? -1 : 0,
    key?.length ?? -1,
    value ?? EMPTY,
    value === null ? -1 : 0,
    value?.length ?? -1,
    section,
    0,
    section.length,
  );
}

/** The record that the view has at that index; key, value and headers are copies. */
export function readPlain(view: BatchView, i: number): PlainRecord {
  return {
    key: copyOf(view.bytes, view.keyStarts[i]!, view.keyEnds[i]!),
    value: copyOf(view.bytes, view.valueStarts[i]!, view.valueEnds[i]!),
    timestamp: view.timestamps[i]!,
    headers: readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!),
  };
}

function copyOf(bytes: Bytes, start: number, end: number): Bytes | null {
  return start < 0 ? null : Buffer.from(bytes.subarray(start, end));
}
