import { type Bytes, ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';

const KEY_LENGTH_BYTES = 4;
const TIME_BYTES = 8;
const BEHIND_ALL_TIMES = 0xff;

/**
 * Row keys of a key and one or two times, such that the rows of a key lie together, in the order of their times: the
 * length of the key, the key, the times.
 */
export class TimedKeys {
  readonly #key = new ByteWriter(64);
  readonly #from = new ByteWriter(64);
  readonly #to = new ByteWriter(64);

  /** Length of the row key made last. */
  get length(): number {
    return this.#key.at;
  }

  /** Valid until the next call. */
  row(key: Bytes, keyStart: number, keyEnd: number, first: Millis, second?: Millis): Bytes {
    const out = this.#key;
    begin(out, key, keyStart, keyEnd);
    out.int64(first);
    if (second !== undefined) out.int64(second);
    return out.bytes;
  }

  /** The row keys of a key from a first time on begin here, inclusive. */
  from(key: Bytes, keyStart: number, keyEnd: number, first: Millis): Bytes {
    begin(this.#from, key, keyStart, keyEnd);
    this.#from.int64(first);
    return this.#from.bytes.subarray(0, this.#from.at);
  }

  /** The row keys of a key end here, exclusive. */
  to(key: Bytes, keyStart: number, keyEnd: number): Bytes {
    const out = this.#to;
    begin(out, key, keyStart, keyEnd);
    for (let i = 0; i < TIME_BYTES; i++) out.byte(BEHIND_ALL_TIMES);
    return out.bytes.subarray(0, out.at);
  }

  /** Where the times stand in a row key of a key of this length. */
  static timesAt(rowKeyStart: number, keyLength: number): number {
    return rowKeyStart + KEY_LENGTH_BYTES + keyLength;
  }
}

function begin(out: ByteWriter, key: Bytes, keyStart: number, keyEnd: number): void {
  out.clear();
  out.int32(keyEnd - keyStart);
  out.copy(key, keyStart, keyEnd);
}
