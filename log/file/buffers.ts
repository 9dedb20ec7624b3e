import type { Bytes } from '../../core/bytes.ts';

const CLASSES = [64 << 10, 256 << 10, 1 << 20];
const KEPT_BYTES = 32 << 20;

/** Buffers that fetches are read into, in a few sizes, used again once released. */
export class BufferPool {
  readonly #free = new Map<number, Bytes[]>();
  #keptBytes = 0;

  lend(size: number): Bytes {
    const length = CLASSES.find((each) => each >= size) ?? size;
    const free = this.#free.get(length)?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(length);
    this.#keptBytes -= length;
    return free;
  }

  giveBack(bytes: Bytes): void {
    const length = bytes.length;
    if (!CLASSES.includes(length) || this.#keptBytes + length > KEPT_BYTES) return;
    this.#keptBytes += length;
    const free = this.#free.get(length);
    if (free === undefined) this.#free.set(length, [bytes]);
    else free.push(bytes);
  }
}
