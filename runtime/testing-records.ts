import { isTimeRecord } from '../checkpoints/checkpoints.ts';
import { type Bytes, ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView, encodeHeaders, readHeaders } from '../log/batch.ts';
import type { Serde } from '../schemas/schemas.ts';

export type Headers = { readonly [name: string]: string };

export interface DriverRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: Millis;
  readonly partition: number;
  readonly headers: Headers;
}

export interface DriverInput<K, V> {
  /** Sends one record; without a timestamp it carries the wall clock's time. */
  send(key: K | null, value: V | null, options?: { timestamp?: Millis; partition?: number; headers?: Headers }): void;
}

export interface DriverOutput<K, V> {
  /** Committed records since the last read, in order of arrival. */
  read(): readonly DriverRecord<K, V>[];
}

/** One record as a batch of its own, and its encoded key. */
export function encodeRecord(
  serdes: { readonly key: Serde<unknown>; readonly value: Serde<unknown> },
  record: { readonly key: unknown; readonly value: unknown; readonly timestamp: Millis; readonly headers: Headers },
): { readonly batch: Bytes; readonly key: Bytes | undefined } {
  const key = new ByteWriter();
  const value = new ByteWriter();
  if (record.key !== null) serdes.key.encode(record.key, key);
  if (record.value !== null) serdes.value.encode(record.value, value);
  const pairs = Object.entries(record.headers).map(([name, text]) => ({ name, value: Buffer.from(text) }));
  const headers = encodeHeaders(pairs);
  const builder = new BatchBuilder(new Step());
  builder.appendWithHeaders(
    record.timestamp,
    key.bytes,
    record.key === null ? -1 : 0,
    key.at,
    value.bytes,
    record.value === null ? -1 : 0,
    value.at,
    headers,
    0,
    headers.length,
  );
  return { batch: builder.finish(), key: record.key === null ? undefined : key.take() };
}

/** The records of a batch as objects, but for what tasks tell of their time; without serdes key and value are their bytes. */
export function decodeBatch<K, V>(
  bytes: Bytes,
  where: { readonly topic: string; readonly partition: number },
  serdes: { readonly key: Serde<K>; readonly value: Serde<V> } | undefined,
): readonly DriverRecord<K, V>[] {
  const view = new BatchView();
  view.open(bytes, 0, bytes.length, where);
  const records: DriverRecord<K, V>[] = [];
  for (let i = 0; i < view.count; i++) {
    if (isTimeRecord(view, i)) continue;
    records.push({
      key: decodeField(view.bytes, view.keyStarts[i]!, view.keyEnds[i]!, serdes?.key),
      value: decodeField(view.bytes, view.valueStarts[i]!, view.valueEnds[i]!, serdes?.value),
      timestamp: view.timestamps[i]!,
      partition: where.partition,
      headers: headersOf(view, i),
    });
  }
  return records;
}

function decodeField<T>(bytes: Bytes, start: number, end: number, serde: Serde<T> | undefined): T {
  if (start < 0) return null as T;
  return serde === undefined ? (Buffer.from(bytes.subarray(start, end)) as T) : serde.decode(bytes, start, end);
}

function headersOf(view: BatchView, i: number): Headers {
  const headers: { [name: string]: string } = {};
  for (const { name, value } of readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!)) {
    headers[name] = value === null ? '' : value.toString();
  }
  return headers;
}
