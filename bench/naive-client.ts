/**
 * How a Kafka client for Node hands over records: one object each, with 64-bit numbers as BigInt, key and value as
 * Buffers of their own, headers as a Map. A plain reader over the v2 format; part of the naive loop, frozen with it.
 */
export interface ClientRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Map<string, Buffer>;
}

class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  skip(count: number): void {
    this.#at += count;
  }

  varint(): number {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= (byte & 127) << shift;
      if (byte < 128) break;
      shift += 7;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  varlong(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
      shift += 7n;
    }
    return (value >> 1n) ^ -(value & 1n);
  }

  /** A copy, so that the fetched buffer can go. */
  field(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const copy = Buffer.from(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return copy;
  }
}

/** The records of one batch. */
export function readClientRecords(bytes: Buffer, start: number, topic: string, partition: number): ClientRecord[] {
  const base = bytes.readBigInt64BE(start);
  const baseTimestamp = bytes.readBigInt64BE(start + 27);
  const count = bytes.readInt32BE(start + 57);
  const reader = new ByteReader(bytes, start + 61);
  const records: ClientRecord[] = [];
  for (let i = 0; i < count; i++) {
    reader.varint();
    reader.skip(1);
    const timestamp = baseTimestamp + reader.varlong();
    const offset = base + BigInt(reader.varint());
    const key = reader.field();
    const value = reader.field();
    const headers = new Map<string, Buffer>();
    for (let left = reader.varint(); left > 0; left--) {
      const name = reader.field();
      headers.set(String(name), reader.field() ?? Buffer.alloc(0));
    }
    records.push({ topic, partition, offset, timestamp, key, value, headers });
  }
  return records;
}
