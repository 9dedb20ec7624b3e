import { type Bytes, ByteWriter, readInt64, writeInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { type BytesTable, PLAIN, type Scan, type Table } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import { NOWHERE } from './fuse.ts';
import type { Aggregates, Held } from './held.ts';
import type { KeyWindows } from './key-windows.ts';
import type { KeptNumber, OperatorClock, OperatorContext, Push, ResumableScan } from './operators.ts';
import { Rec } from './record.ts';

export interface OrderParts {
  readonly clock: OperatorClock;
  readonly windows: KeyWindows;
  readonly aggregates: Aggregates;
  readonly finals: Push;
  /** Rows go when their window closes; else when they expire. */
  readonly dropsRows: boolean;
  /** Windows that close at one time come by start, end and key; else by windowed key, as in Kafka Streams' buffers. */
  readonly startFirst: boolean;
}

const TIME_BYTES = 8;
/** The panes of the store beside. */
const CLOSE = 1;
const AGAIN = 2;
const EXPIRE = 3;
/** Before a value in the store beside. */
const FROZEN = 1;

/**
 * When the windows of an aggregate close and when their rows go, for windows that lie by key: rows of
 * (time, start, end, key) or (time, windowed key) in the store beside. What is due by the clock is done as a scan, one
 * row a step: a window that closes gives its final result, where somebody wants it. Since what was done is gone from
 * the order, no result is lost and none comes twice, wherever a commit or a crash falls.
 *
 * Where a window may change in the moment in which it is given out, a row of the order may hold the value that is to be
 * given out, and a window may be given out again behind all that is due; see {@link WindowOrder.freeze}.
 *
 * What else is held here may be forgotten at any time: the cursor, and the earliest times, which are never later than
 * the truth.
 */
export class WindowOrder implements ResumableScan {
  /** The earliest clock at which there is something to do: one comparison a record. */
  due: Millis = Number.NEGATIVE_INFINITY;

  readonly #parts: OrderParts;
  readonly #context: OperatorContext;
  readonly #table: BytesTable;
  readonly #rows: Table;
  readonly #held: Held;
  readonly #last: KeptNumber;
  /** The longest time from that of a row to where its window closes. */
  readonly #longest: KeptNumber;
  readonly #key = new ByteWriter(64);
  /** The windowed key in `#key`. */
  readonly #row = new ByteWriter(64);
  readonly #from: Bytes = Buffer.alloc(TIME_BYTES);
  readonly #out = new Rec();
  #firstClose: Millis = Number.NEGATIVE_INFINITY;
  #firstExpire: Millis = Number.NEGATIVE_INFINITY;
  /** Infinity: none is given out again. */
  #firstAgain = 0;
  readonly #value = new ByteWriter(256);
  #cursor: Scan | undefined;
  #pane = CLOSE;

  constructor(node: NodeOf<'aggregate'>, context: OperatorContext, parts: OrderParts) {
    this.#parts = parts;
    this.#context = context;
    this.#table = context.table(node.beside!) as BytesTable;
    this.#rows = context.table(node.store);
    this.#held = parts.aggregates.hold('final');
    this.#last = context.number('last', 0);
    this.#longest = context.number('longest', 0);
  }

  /** Whether final results go anywhere. */
  get wanted(): boolean {
    return this.#parts.finals !== NOWHERE;
  }

  /** The window whose key was written last, whose row has a time, closes when the clock stands at this time. */
  closeAt(time: Millis, rowTime: Millis): void {
    if (!this.wanted && !this.#parts.dropsRows) return;
    if (time - rowTime > this.#longest.value) this.#longest.set(time - rowTime);
    this.#put(CLOSE, time);
    if (time < this.#firstClose) this.#firstClose = time;
    if (time < this.due) this.due = time;
    if (time > this.#last.value) this.#last.set(time);
  }

  /** The row of the window whose key was written last goes when the clock stands at this time. */
  expireAt(time: Millis): void {
    this.#put(EXPIRE, time);
    if (time < this.#firstExpire) this.#firstExpire = time;
    if (time < this.due) this.due = time;
  }

  /**
   * The window whose key was written last is about to change: if it waits to be given out at this time, it is given out
   * as it is now.
   */
  freeze(time: Millis): void {
    if (!this.wanted) return;
    this.#write(time);
    const key = this.#key;
    const table = this.#table;
    if (!table.find(CLOSE, key.bytes, 0, key.at) || table.end > table.start) return;
    const { windows, aggregates } = this.#parts;
    if (!aggregates.load(this.#held, windows.key.bytes, 0, windows.key.at)) table.delete(CLOSE, key.bytes, 0, key.at);
    else this.#putValue(CLOSE, this.#held);
  }

  /** The window whose key was written last is given out with this value, behind all that is due, by `place`. */
  again(held: Held, place: number): void {
    if (!this.wanted || !held.present) return;
    this.#write(place);
    this.#putValue(AGAIN, held);
    this.#firstAgain = 0;
    this.due = Math.min(this.due, this.#parts.clock.value);
  }

  #putValue(pane: number, held: Held): void {
    const value = this.#value;
    value.clear();
    value.byte(FROZEN);
    this.#parts.aggregates.encode(held, value);
    this.#table.put(pane, this.#key.bytes, 0, this.#key.at, value.bytes, 0, value.at, held.timestamp);
  }

  /** The window whose key was written last is no more: neither of its times, as they were given, is waited for. */
  cancel(closeAt: Millis, expireAt: Millis | undefined): void {
    if (this.wanted || this.#parts.dropsRows) this.#delete(CLOSE, closeAt);
    if (expireAt !== undefined) this.#delete(EXPIRE, expireAt);
  }

  /** No later than the time of any final result that is yet to come; Infinity where none is. */
  held(): Millis {
    return this.wanted ? this.#firstClose - this.#longest.value : Number.POSITIVE_INFINITY;
  }

  /** Does what is due. */
  run(): void {
    if (this.#parts.clock.value < this.due) return;
    this.#forget();
    this.#context.scan(this);
  }

  /** Closes every window: the clock goes to where the last one closes, so that what comes later finds them closed. */
  end(): void {
    if (!this.wanted) return;
    this.#parts.clock.finish(this.#last.value);
    this.run();
  }

  advance(): boolean {
    return this.#advance(this.#parts.finals);
  }

  skip(): void {
    this.#advance(NOWHERE);
  }

  #advance(finals: Push): boolean {
    if (this.#pane === CLOSE) {
      if (this.#next(CLOSE, this.#firstClose)) {
        this.#firstClose = readInt64(this.#key.bytes, 0);
        this.#close(CLOSE, finals);
        return true;
      }
      this.#firstClose = this.#nextTime;
      this.#pane = AGAIN;
    }
    if (this.#pane === AGAIN) {
      if (this.#next(AGAIN, this.#firstAgain)) {
        this.#close(AGAIN, finals);
        return true;
      }
      this.#firstAgain = Number.POSITIVE_INFINITY;
      this.#pane = EXPIRE;
    }
    if (this.#next(EXPIRE, this.#firstExpire)) {
      this.#firstExpire = readInt64(this.#key.bytes, 0);
      this.#table.delete(EXPIRE, this.#key.bytes, 0, this.#key.at);
      this.#rows.delete(PLAIN, this.#row.bytes, 0, this.#row.at);
      return true;
    }
    this.#firstExpire = this.#nextTime;
    this.#forget();
    this.due = Math.min(this.#firstClose, this.#firstExpire);
    return false;
  }

  #nextTime: Millis = Number.POSITIVE_INFINITY;

  /** Copies the first row that is due; without one, `#nextTime` is when the first will be. May miss. */
  #next(pane: number, from: Millis): boolean {
    if (this.#cursor === undefined) {
      const bound = from > 0 ? this.#from : undefined;
      if (bound !== undefined) writeInt64(bound, 0, from);
      this.#cursor = from === Number.POSITIVE_INFINITY ? undefined : this.#table.scan(pane, bound);
    }
    const cursor = this.#cursor;
    this.#nextTime = Number.POSITIVE_INFINITY;
    if (cursor?.next() !== true) {
      this.#cursor = undefined;
      return false;
    }
    const time = readInt64(cursor.key, cursor.keyStart);
    if (pane !== AGAIN && time > this.#parts.clock.value) {
      this.#nextTime = time;
      this.#cursor = undefined;
      return false;
    }
    this.#key.clear();
    this.#key.copy(cursor.key, cursor.keyStart, cursor.keyEnd);
    this.#readRow();
    return true;
  }

  #readRow(): void {
    const { windows, startFirst } = this.#parts;
    const { bytes, at } = this.#key;
    if (startFirst) {
      const start = readInt64(bytes, TIME_BYTES);
      windows.compose(this.#row, bytes, 3 * TIME_BYTES, at, start, readInt64(bytes, 2 * TIME_BYTES));
    } else {
      this.#row.clear();
      this.#row.copy(bytes, TIME_BYTES, at);
    }
  }

  #close(pane: number, finals: Push): void {
    const { aggregates, windows, dropsRows } = this.#parts;
    const { bytes, at } = this.#row;
    const cursor = this.#cursor!;
    const held = this.#held;
    // What was frozen has its value in the order itself.
    const frozen = cursor.end > cursor.start;
    if (frozen) aggregates.decode(held, cursor.bytes, cursor.start + 1, cursor.end, cursor.timestamp);
    this.#table.delete(pane, this.#key.bytes, 0, this.#key.at);
    const found = finals !== NOWHERE && (frozen || aggregates.load(held, bytes, 0, at));
    if (dropsRows) this.#rows.delete(PLAIN, bytes, 0, at);
    if (!found) return;
    const out = this.#out;
    out.bodyStart = -1;
    windows.name(out, bytes, 0, at, 'finals');
    aggregates.show(held, out);
    finals(out);
  }

  #put(pane: number, time: Millis): void {
    this.#write(time);
    this.#table.put(pane, this.#key.bytes, 0, this.#key.at, this.#key.bytes, 0, 0, time);
  }

  #delete(pane: number, time: Millis): void {
    this.#write(time);
    this.#table.delete(pane, this.#key.bytes, 0, this.#key.at);
  }

  #write(time: Millis): void {
    const { windows, startFirst } = this.#parts;
    const key = this.#key;
    key.clear();
    key.int64(time);
    if (startFirst) windows.appendOrder(key);
    else key.copy(windows.key.bytes, 0, windows.key.at);
  }

  /** Ended scans are opened anew: what lies behind may be rolled back. */
  #forget(): void {
    this.#cursor = undefined;
    this.#pane = CLOSE;
  }
}
