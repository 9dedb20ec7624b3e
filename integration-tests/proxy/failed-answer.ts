import { FlowError } from '../../core/errors.ts';
import { API, type Frame } from './frames.ts';

/** Kafka's numbers of the errors that the proxy is asked for. */
export const KAFKA_ERROR = {
  notLeader: 6,
  notCoordinator: 16,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  clusterAuthorizationFailed: 31,
  concurrentTransactions: 51,
  kafkaStorageError: 56,
} as const;

/** The answer that refuses the whole of a Produce, EndTxn, InitProducerId or TxnOffsetCommit request with one error. */
export function failedAnswer(request: Frame, error: number): Buffer {
  const body = new Body();
  body.int32(request.correlation);
  if (request.api === API.endTxn && request.version >= 3) {
    body.tags().int32(0).int16(error);
    if (request.version >= 5) body.int64(-1n).int16(-1);
    return body.tags().framed();
  }
  if (request.api === API.initProducerId) {
    if (request.version >= 2) body.tags();
    body.int32(0).int16(error).int64(-1n).int16(-1);
    if (request.version >= 2) body.tags();
    return body.framed();
  }
  if (request.api === API.produce && request.version >= 9) return failedProduce(body, request, error);
  if (request.api === API.txnOffsetCommit && request.version >= 3) return failedPositions(body, request, error);
  throw new FlowError(
    'log.unsupported',
    `the proxy cannot make an error answer for request ${request.api} of version ${request.version}`,
  );
}

function failedPositions(body: Body, request: Frame, error: number): Buffer {
  const cursor = new Cursor(request.bytes, 12);
  cursor.skip(cursor.int16OrNone());
  cursor.tags();
  // transactional id and group, producer id and epoch, generation, member and instance
  cursor.skip(cursor.compactLength());
  cursor.skip(cursor.compactLength());
  cursor.skip(8 + 2 + 4);
  cursor.skip(cursor.compactLength());
  cursor.skip(cursor.compactLength());
  const topics = cursor.compactLength();
  body
    .tags()
    .int32(0)
    .uvarint(topics + 1);
  for (let t = 0; t < topics; t++) {
    const start = cursor.at;
    cursor.skip(cursor.compactLength());
    body.raw(request.bytes.subarray(start, cursor.at));
    const partitions = cursor.compactLength();
    body.uvarint(partitions + 1);
    for (let p = 0; p < partitions; p++) {
      body.int32(cursor.int32()).int16(error).tags();
      // position and leader's epoch, metadata
      cursor.skip(8 + 4);
      cursor.skip(cursor.compactLength());
      cursor.tags();
    }
    cursor.tags();
    body.tags();
  }
  return body.tags().framed();
}

function failedProduce(body: Body, request: Frame, error: number): Buffer {
  const cursor = new Cursor(request.bytes, 12);
  cursor.skip(cursor.int16OrNone());
  cursor.tags();
  cursor.skip(cursor.compactLength());
  cursor.skip(2 + 4);
  const named = request.version < 13;
  const topics = cursor.compactLength();
  body.tags().uvarint(topics + 1);
  for (let t = 0; t < topics; t++) {
    const start = cursor.at;
    cursor.skip(named ? cursor.compactLength() : 16);
    body.raw(request.bytes.subarray(start, cursor.at));
    const partitions = cursor.compactLength();
    body.uvarint(partitions + 1);
    for (let p = 0; p < partitions; p++) {
      body.int32(cursor.int32()).int16(error).int64(-1n).int64(-1n).int64(-1n);
      body.uvarint(1).uvarint(0).tags();
      cursor.skip(cursor.compactLength());
      cursor.tags();
    }
    cursor.tags();
    body.tags();
  }
  return body.int32(0).tags().framed();
}

class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  skip(length: number): void {
    this.at += Math.max(0, length);
  }

  int16OrNone(): number {
    this.at += 2;
    return this.#bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.#bytes.readInt32BE(this.at - 4);
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  compactLength(): number {
    return this.uvarint() - 1;
  }

  tags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }
}

class Body {
  readonly #parts: Buffer[] = [];

  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }

  int16(value: number): this {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return this.raw(bytes);
  }

  int32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.raw(bytes);
  }

  int64(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return this.raw(bytes);
  }

  uvarint(value: number): this {
    const bytes: number[] = [];
    for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
    return this.raw(Buffer.from([...bytes, value]));
  }

  tags(): this {
    return this.uvarint(0);
  }

  framed(): Buffer {
    const size = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const length = Buffer.alloc(4);
    length.writeInt32BE(size);
    return Buffer.concat([length, ...this.#parts]);
  }
}
