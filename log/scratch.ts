import { type Bytes, EMPTY } from '../core/bytes.ts';

const SMALLEST_BYTES = 64 << 10;
/** A larger buffer serves one batch and is then left to the collector. */
const KEPT_BYTES = 8 << 20;

/** Memory that whoever decodes a batch fills, used again for the next one. */
export class Scratch {
  #bytes: Bytes = EMPTY;

  /** At least `size` bytes, of which the first `filled` are as they were left. */
  room(size: number, filled: number): Bytes {
    const before = this.#bytes;
    if (before.length >= size) return before;
    const bytes = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(size))));
    before.copy(bytes, 0, 0, filled);
    this.#bytes = bytes;
    return bytes;
  }

  /** Called before a new batch: lets go of what an unusually large one needed. */
  restart(): void {
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = EMPTY;
  }
}
