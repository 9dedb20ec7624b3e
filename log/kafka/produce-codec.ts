import { type Bytes, ByteWriter, readInt16, readInt32, readInt64 } from '../../core/bytes.ts';
import type { Millis, Position } from '../../core/ids.ts';
import type { Answer } from './cluster.ts';

/** The API number of Produce. Its versions 9 to 12 are written alike; from 12 it adds partitions to a transaction. */
export const PRODUCE = 0;
export const PRODUCE_PLAIN_VERSION = 9;
export const PRODUCE_ADDING_VERSION = 12;

const ALL_REPLICAS = -1;

/** One batch of a request; a request holds at most one a partition. */
export interface ProduceEntry {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Bytes;
}

/** What the log said of one partition. */
export interface ProduceResult {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
  readonly base: Position;
  readonly message: string;
}

/** The body of a request as parts: the batches as they are, between them what tells where they go. */
export function encodeProduce(
  transactionalId: string | undefined,
  timeoutMs: Millis,
  entries: readonly ProduceEntry[],
): readonly Bytes[] {
  const topics = new Map<string, ProduceEntry[]>();
  for (const entry of entries) {
    const list = topics.get(entry.topic);
    if (list === undefined) topics.set(entry.topic, [entry]);
    else list.push(entry);
  }
  const writer = new ByteWriter(256 + 32 * entries.length);
  if (transactionalId === undefined) writer.varint(0);
  else compactText(writer, transactionalId);
  writer.byte(ALL_REPLICAS >>> 8);
  writer.byte(ALL_REPLICAS);
  writer.int32(timeoutMs);
  writer.varint(topics.size + 1);
  /** Behind which byte of the writer a batch stands. */
  const cuts: { readonly at: number; readonly batch: Bytes }[] = [];
  for (const [topic, list] of topics) {
    compactText(writer, topic);
    writer.varint(list.length + 1);
    for (const { partition, batch } of list) {
      writer.int32(partition);
      writer.varint(batch.length + 1);
      cuts.push({ at: writer.at, batch });
      writer.byte(0);
    }
    writer.byte(0);
  }
  writer.byte(0);
  const parts: Bytes[] = [];
  let from = 0;
  for (const { at, batch } of cuts) {
    parts.push(writer.bytes.subarray(from, at), batch);
    from = at;
  }
  parts.push(writer.bytes.subarray(from, writer.at));
  return parts;
}

function compactText(writer: ByteWriter, text: string): void {
  writer.varint(Buffer.byteLength(text) + 1);
  writer.text(text);
}

/** The results in an answer, of version 9 to 12. */
export function decodeProduce({ bytes, start, end }: Pick<Answer, 'bytes' | 'start' | 'end'>): ProduceResult[] {
  const cursor = new Cursor(bytes, start, end);
  const results: ProduceResult[] = [];
  for (let topics = cursor.varint() - 1; topics > 0; topics--) {
    const topic = cursor.text();
    for (let partitions = cursor.varint() - 1; partitions > 0; partitions--) {
      const partition = cursor.int32();
      const code = cursor.int16();
      const base = cursor.int64();
      cursor.skip(16);
      let message = '';
      for (let records = cursor.varint() - 1; records > 0; records--) {
        cursor.skip(4);
        message ||= cursor.text();
        cursor.tags();
      }
      message = cursor.text() || message;
      cursor.tags();
      results.push({ topic, partition, code, base, message });
    }
    cursor.tags();
  }
  return results;
}

class Cursor {
  readonly #bytes: Bytes;
  readonly #end: number;
  #at: number;

  constructor(bytes: Bytes, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  skip(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#end) throw new RangeError('the answer to a produce request is too short');
    return at;
  }

  int16(): number {
    return readInt16(this.#bytes, this.skip(2));
  }

  int32(): number {
    return readInt32(this.#bytes, this.skip(4));
  }

  int64(): number {
    return readInt64(this.#bytes, this.skip(8));
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.skip(1)]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  /** Compact text; a null is empty. */
  text(): string {
    const length = Math.max(0, this.varint() - 1);
    const at = this.skip(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  tags(): void {
    for (let count = this.varint(); count > 0; count--) {
      this.varint();
      this.skip(this.varint());
    }
  }
}
