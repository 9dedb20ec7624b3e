import { type Bytes, copyBytes, writeInt32 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { BytesTable } from '../state/state.ts';
import type { OperatorClock } from './operators.ts';
import type { Rec } from './record.ts';

/** Behind the key's bytes in a row's key: the how manieth of the key's records in its pane it is. */
const INDEX_BYTES = 4;

/**
 * One side of a join of streams: its records by key, found again by time, then in order of arrival.
 *
 * A pane is a span of time. In it the records of a key are numbered as they come, and a row lies under the key and its
 * number: so one look-up tells that there are none, a record costs one row, and no order of keys is kept. Rows go with
 * their pane; none is deleted by itself, so the numbers of a key have no gaps, and the next free one is found by
 * doubling.
 *
 * The buffer has a clock of its own, the largest time that it was given: what lies `retentionMs` or more behind it is
 * neither kept nor found.
 */
export class JoinSide {
  /** Where the cursor stands: see {@link JoinSide.next}. */
  time: Millis = 0;
  /** The value that it stands at lies in `bytes[start, end)`. */
  get bytes(): Bytes {
    return this.#table.bytes;
  }
  get start(): number {
    return this.#table.start;
  }
  get end(): number {
    return this.#table.end;
  }

  readonly #table: BytesTable;
  readonly #clock: OperatorClock;
  readonly #paneMs: Millis;
  readonly #retentionMs: Millis;
  /** The earliest clock less retention at which a pane may go; never later than the truth. */
  #dropAt: Millis = Number.NEGATIVE_INFINITY;

  #key: Bytes = Buffer.allocUnsafeSlow(64);
  #keyEnd = 0;

  #pane: Millis = 0;
  #from: Millis = 0;
  #to: Millis = -1;
  /** What was found in the pane at hand, by time, then by number. */
  #times = new Float64Array(64);
  #numbers = new Int32Array(64);
  #found = 0;
  #at = 0;

  constructor(table: BytesTable, clock: OperatorClock, paneMs: Millis, retentionMs: Millis) {
    this.#table = table;
    this.#clock = clock;
    this.#paneMs = paneMs;
    this.#retentionMs = retentionMs;
  }

  /** Whether a record of this time is kept still. */
  holds(timestamp: Millis): boolean {
    return timestamp > this.#clock.value - this.#retentionMs;
  }

  /** Keeps a record, whose key and value lie encoded; false where it is too old for that. */
  add(record: Rec): boolean {
    const { timestamp } = record;
    this.#clock.see(timestamp);
    const limit = this.#clock.value - this.#retentionMs;
    if (limit >= this.#dropAt) this.#dropPanes(limit);
    if (timestamp <= limit) return false;
    const pane = paneOf(timestamp, this.#paneMs);
    this.#setKey(record.keyBytes, record.keyStart, record.keyEnd);
    this.#setNumber(this.#freeNumber(pane));
    const { valueBytes, valueStart, valueEnd } = record;
    this.#table.put(pane, this.#key, 0, this.#keyEnd, valueBytes, valueStart, valueEnd, timestamp);
    if (pane + this.#paneMs - 1 < this.#dropAt) this.#dropAt = pane + this.#paneMs - 1;
    return true;
  }

  /** Puts the cursor before the key's records with times from `from` to `to`, both included. */
  seek(key: Bytes, keyStart: number, keyEnd: number, from: Millis, to: Millis): void {
    const first = this.#clock.value - this.#retentionMs + 1;
    this.#from = from > first ? from : first;
    this.#to = to;
    this.#found = 0;
    this.#at = 0;
    const oldest = this.#table.firstPane;
    this.#pane = Math.max(oldest, this.#from > 0 ? paneOf(this.#from, this.#paneMs) : 0);
    if (this.#pane <= to) this.#setKey(key, keyStart, keyEnd);
  }

  /** Moves on; false at the end. May miss. */
  next(): boolean {
    while (this.#at === this.#found) {
      if (this.#pane > this.#to || this.#from > this.#to) return false;
      this.#collect();
    }
    const at = this.#at++;
    this.#setNumber(this.#numbers[at]!);
    this.time = this.#times[at]!;
    return this.#table.find(this.#pane - this.#paneMs, this.#key, 0, this.#keyEnd);
  }

  /** Finds what the pane at hand has, and goes to the next one. */
  #collect(): void {
    const table = this.#table;
    this.#found = 0;
    this.#at = 0;
    const isCold = table.isCold(this.#pane);
    for (let number = 0; ; number++) {
      // A power of two: so many more are asked for at once, so that a long row of cold records is a few fetches.
      if (isCold && number > 0 && (number & (number - 1)) === 0) this.#readAhead(number);
      this.#setNumber(number);
      if (!table.find(this.#pane, this.#key, 0, this.#keyEnd)) break;
      const { timestamp } = table;
      if (timestamp >= this.#from && timestamp <= this.#to) this.#insert(timestamp, number);
    }
    this.#pane += this.#paneMs;
  }

  #readAhead(first: number): void {
    for (let number = first; number < first * 2; number++) {
      this.#setNumber(number);
      this.#table.ahead(this.#pane, this.#key, 0, this.#keyEnd);
    }
  }

  /** Most records come in order of time, and are put last. */
  #insert(time: Millis, number: number): void {
    const count = this.#found++;
    if (count === this.#times.length) this.#grow();
    const times = this.#times;
    const numbers = this.#numbers;
    let at = count;
    if (count > 0 && times[count - 1]! > time) {
      let low = 0;
      while (low < at) {
        const middle = (low + at) >>> 1;
        if (times[middle]! <= time) low = middle + 1;
        else at = middle;
      }
      times.copyWithin(at + 1, at, count);
      numbers.copyWithin(at + 1, at, count);
    }
    times[at] = time;
    numbers[at] = number;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    times.set(this.#times);
    this.#times = times;
    const numbers = new Int32Array(times.length);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }

  #freeNumber(pane: Millis): number {
    if (!this.#has(pane, 0)) return 0;
    let taken = 0;
    let free = 1;
    while (this.#has(pane, free)) {
      taken = free;
      free *= 2;
    }
    while (free - taken > 1) {
      const middle = (free + taken) >>> 1;
      if (this.#has(pane, middle)) taken = middle;
      else free = middle;
    }
    return free;
  }

  #has(pane: Millis, number: number): boolean {
    this.#setNumber(number);
    return this.#table.find(pane, this.#key, 0, this.#keyEnd);
  }

  #setKey(key: Bytes, start: number, end: number): void {
    const length = end - start + INDEX_BYTES;
    if (length > this.#key.length) this.#key = Buffer.allocUnsafeSlow(length * 2);
    copyBytes(this.#key, 0, key, start, end);
    this.#keyEnd = length;
  }

  #setNumber(number: number): void {
    writeInt32(this.#key, this.#keyEnd - INDEX_BYTES, number);
  }

  /** After a drop it is looked at again at the next record: the drop may be undone. */
  #dropPanes(limit: Millis): void {
    const table = this.#table;
    let first = table.firstPane;
    if (first + this.#paneMs - 1 > limit) {
      this.#dropAt = first + this.#paneMs - 1;
      return;
    }
    this.#dropAt = Number.NEGATIVE_INFINITY;
    for (; first + this.#paneMs - 1 <= limit; first = table.firstPane) table.dropPane(first);
  }
}

/** The start of the span that a time lies in. */
export function paneOf(time: Millis, paneMs: Millis): Millis {
  return time - (time % paneMs);
}

/** A window lies over few panes, and a pane is small beside what is kept. */
export function paneSize(windowMs: Millis, retentionMs: Millis): Millis {
  const wanted = Math.max(LEAST_PANE_MS, Math.ceil(windowMs / 2), Math.ceil(retentionMs / 16));
  return Math.min(LARGEST_PANE_MS, wanted);
}

const LEAST_PANE_MS = 100;
const LARGEST_PANE_MS = 2 ** 40;
