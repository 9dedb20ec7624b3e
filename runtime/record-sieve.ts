import type { Bytes } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Sieve } from '../log/batch.ts';
import type { Screen } from '../operators/operators.ts';
import type { View } from '../schemas/schemas.ts';

/**
 * Asks a screen while a batch is decoded, so that what it drops is never written down, and notes what must be known of
 * it: before each record that has a place, and behind the last, how many were dropped there and the largest of their
 * event times. The first record keeps its place, since it is yet to be decoded whole.
 *
 * Where the screen fails, so does the decoding: the batch is to be opened without a sieve, and the record to fail in its
 * own turn.
 */
export class RecordSieve implements Sieve {
  /** How many were dropped right before the record at a place. */
  dropped = new Int32Array(0);
  /** The largest event time among them; -1 where there are none. */
  times = new Float64Array(0);
  #judging = false;
  #count = 0;
  #largest: Millis = -1;
  readonly #screen: Screen;
  readonly #read: View<unknown>;

  constructor(screen: Screen, read: View<unknown>) {
    this.#screen = screen;
    this.#read = read;
  }

  begin(count: number): void {
    if (this.dropped.length <= count) {
      const size = Math.max(64, 2 ** Math.ceil(Math.log2(count + 1)));
      this.dropped = new Int32Array(size);
      this.times = new Float64Array(size);
    }
    this.#judging = false;
    this.#count = 0;
    this.#largest = -1;
  }

  end(count: number): void {
    this.#note(count);
  }

  drops(place: number, timestamp: Millis, bytes: Bytes, valueStart: number, valueEnd: number): boolean {
    if (this.#judging) {
      if (!this.#screen.passes(valueStart < 0 ? null : this.#read(bytes, valueStart, valueEnd))) {
        this.#count++;
        if (timestamp > this.#largest) this.#largest = timestamp;
        return true;
      }
    } else this.#judging = true;
    this.#note(place);
    return false;
  }

  #note(place: number): void {
    this.dropped[place] = this.#count;
    this.times[place] = this.#largest;
    this.#count = 0;
    this.#largest = -1;
  }
}
