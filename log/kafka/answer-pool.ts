import type { Bytes } from '../../core/bytes.ts';

const SMALLEST_BYTES = 1024;
const LARGEST_BYTES = 32 << 20;
const KEPT_BYTES = 64 << 20;

/** Buffers that answers are received into, in powers of two, used again once released. */
export class AnswerPool {
  readonly #free = new Map<number, Bytes[]>();
  #keptBytes = 0;

  lend(size: number): Bytes {
    const length = Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(size)));
    const free = this.#free.get(length)?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(length);
    this.#keptBytes -= length;
    return free;
  }

  giveBack(bytes: Bytes): void {
    const length = bytes.length;
    if (length > LARGEST_BYTES || this.#keptBytes + length > KEPT_BYTES) return;
    this.#keptBytes += length;
    const free = this.#free.get(length);
    if (free === undefined) this.#free.set(length, [bytes]);
    else free.push(bytes);
  }
}
