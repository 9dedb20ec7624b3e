/** What flows over a connection to a broker: frames, each a length of four bytes and so many bytes behind it. */

/** The requests that rules speak of, by Kafka's number. */
export const API = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  apiVersions: 18,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;
export type ApiName = keyof typeof API;

/** A frame with its length in front, and what is known of it. */
export interface Frame {
  readonly bytes: Buffer;
  readonly api: number;
  readonly version: number;
  readonly correlation: number;
  /** The name that the client gave itself. */
  readonly client: string;
}

const LENGTH_BYTES = 4;

/** Cuts a stream of chunks into frames with their lengths. */
export class Splitter {
  #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Buffer[] = [];
    for (;;) {
      if (this.#size < LENGTH_BYTES) return frames;
      if (this.#chunks[0]!.length < LENGTH_BYTES) this.#join();
      const whole = LENGTH_BYTES + this.#chunks[0]!.readInt32BE(0);
      if (this.#size < whole) return frames;
      this.#join();
      const all = this.#chunks[0]!;
      frames.push(all.subarray(0, whole));
      this.#size -= whole;
      this.#chunks = this.#size === 0 ? [] : [all.subarray(whole)];
    }
  }

  #join(): void {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
  }
}

/** Reads the header that every request begins with. */
export function requestFrame(bytes: Buffer): Frame {
  const nameLength = bytes.length >= 14 ? bytes.readInt16BE(12) : -1;
  return {
    bytes,
    api: bytes.readInt16BE(4),
    version: bytes.readInt16BE(6),
    correlation: bytes.readInt32BE(8),
    client: nameLength > 0 ? bytes.toString('utf8', 14, 14 + nameLength) : '',
  };
}

/** An answer says only which request it belongs to. */
export function correlationOf(bytes: Buffer): number {
  return bytes.readInt32BE(4);
}
