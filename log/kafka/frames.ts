import { type Bytes, EMPTY, readInt32 } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import type { AnswerPool } from './answer-pool.ts';

const STAGING_BYTES = 64 << 10;
const PREFIX_BYTES = 4;
/** No answer is larger; a first word beyond it comes from something that does not speak Kafka. */
const LARGEST_FRAME_BYTES = 512 << 20;

/**
 * Cuts the bytes of a connection into frames: a length of four bytes, and so many bytes. A frame that has begun is
 * received straight into the buffer it will be handed over in; only its beginning is copied there.
 */
export class Frames {
  readonly #pool: AnswerPool;
  readonly #deliver: (bytes: Bytes, size: number) => void;
  readonly #staging: Bytes = Buffer.allocUnsafeSlow(STAGING_BYTES);
  /** Bytes of a length that has not come whole. */
  readonly #prefix: Bytes = Buffer.allocUnsafeSlow(PREFIX_BYTES);
  #prefixed = 0;
  #frame: Bytes | undefined;
  #size = 0;
  #filled = 0;

  constructor(pool: AnswerPool, deliver: (bytes: Bytes, size: number) => void) {
    this.#pool = pool;
    this.#deliver = deliver;
  }

  /** Where the next bytes should be received. */
  target(): Bytes {
    return this.#frame === undefined ? this.#staging : this.#frame.subarray(this.#filled, this.#size);
  }

  /** Takes `count` bytes that were received into `bytes`, the last target. */
  take(count: number, bytes: Bytes): void {
    if (this.#frame === undefined) this.#cut(bytes, count);
    else {
      this.#filled += count;
      if (this.#filled === this.#size) this.#finish();
    }
  }

  /** Drops what has not come whole. */
  clear(): void {
    if (this.#frame !== undefined) this.#pool.giveBack(this.#frame);
    this.#frame = undefined;
    this.#prefixed = 0;
  }

  #cut(bytes: Bytes, count: number): void {
    let at = 0;
    while (at < count) {
      if (this.#frame === undefined) {
        this.#prefix[this.#prefixed++] = bytes[at++]!;
        if (this.#prefixed === PREFIX_BYTES) this.#begin();
      } else {
        const part = Math.min(count - at, this.#size - this.#filled);
        bytes.copy(this.#frame, this.#filled, at, at + part);
        at += part;
        this.#filled += part;
        if (this.#filled === this.#size) this.#finish();
      }
    }
  }

  #begin(): void {
    const size = readInt32(this.#prefix, 0);
    this.#prefixed = 0;
    if (size < PREFIX_BYTES || size > LARGEST_FRAME_BYTES) {
      throw new FlowError(
        'kafka.security',
        `the answer begins with ${this.#prefix.toString('hex')}, which is no answer of Kafka; ` +
          'check that the address is that of a broker, and whether its listener speaks TLS',
      );
    }
    this.#frame = this.#pool.lend(size);
    this.#size = size;
    this.#filled = 0;
  }

  #finish(): void {
    const frame = this.#frame ?? EMPTY;
    this.#frame = undefined;
    this.#deliver(frame, this.#size);
  }
}
