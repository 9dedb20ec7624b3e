import { type Bytes, ByteWriter, EMPTY, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { type BytesTable, PLAIN, type Scan } from '../state/state.ts';
import { historyOf } from '../topology/plan.ts';
import type { OperatorClock, StoreContext } from './operators.ts';
import { TimePanes } from './time-panes.ts';
import { TimedKeys } from './timed-keys.ts';

/** What a put answers beside the time at which the version ceases to be valid. */
export const LATEST = -1;
export const REJECTED = -2;

const DELETION = 0;
const VALUE = 1;

/**
 * The versions of each key, as Kafka's versioned stores have them (KIP-889): each is valid from its own time until the
 * time of the next one, a deletion being a version without a value.
 *
 * The newest version with a value is the row of its key in the store, its time the row's. Every other one is a row of
 * the history, under its key and the time at which it ceases to be valid; so the version of a moment is the first row
 * behind that moment, whatever number of versions there are, and rows are forgotten by panes. What no row covers is
 * a deletion. Only a deletion in front of which nothing lies is a row of its own: it begins and ends at one time.
 *
 * A version that is older than the clock by more than the history is rejected, and a moment so long ago has only what
 * is still the newest. In the order of time a put reads one row and writes two; only what comes out of order looks
 * into the history.
 */
export class VersionedRows {
  /** The version found last: its encoded value is `bytes[start, end)` as long as a row that is read stays. */
  bytes: Bytes = EMPTY;
  start = 0;
  end = 0;
  validFrom: Millis = 0;
  /** Infinity for the newest. */
  validTo: Millis = 0;

  readonly #clock: OperatorClock;
  readonly #historyMs: Millis;
  readonly #newest: BytesTable;
  readonly #history: BytesTable;
  readonly #panes: TimePanes;
  readonly #keys = new TimedKeys();
  readonly #value = new ByteWriter(256);
  /** The clock at which the next pane may be dropped: never later than is true. */
  #due: Millis = Number.NEGATIVE_INFINITY;

  constructor(context: StoreContext, store: string) {
    this.#newest = context.table(store) as BytesTable;
    this.#history = context.table(historyOf(store)) as BytesTable;
    this.#historyMs = context.storeSerdes(store).retentionMs ?? 0;
    this.#panes = new TimePanes(this.#historyMs);
    this.#clock = context.storeClock(store);
  }

  /** Whether nothing can be put at this time any more, and nothing but the newest version be read of it. */
  isForgotten(at: Millis): boolean {
    return at < this.#clock.value - this.#historyMs;
  }

  /** Puts a version, `valueStart` -1 a deletion; answers when it ceases to be valid, or that it is the newest. */
  put(
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
    at: Millis,
  ): Millis {
    if (this.isForgotten(at)) return REJECTED;
    this.#clock.see(at);
    if (this.#clock.value >= this.#due) this.#forget();
    const newest = this.#newest;
    let next = Number.POSITIVE_INFINITY;
    if (newest.find(PLAIN, key, keyStart, keyEnd)) {
      const from = newest.timestamp;
      if (at > from) this.#keep(key, keyStart, keyEnd, newest.bytes, newest.start, newest.end, from, at);
      if (at >= from) {
        if (valueStart < 0) newest.delete(PLAIN, key, keyStart, keyEnd);
        else newest.put(PLAIN, key, keyStart, keyEnd, value, valueStart, valueEnd, at);
        return LATEST;
      }
      next = from;
    }
    const after = this.#firstBehind(key, keyStart, keyEnd, at);
    if (after !== undefined) {
      const from = after.timestamp;
      const to = this.validTo;
      if (from <= at) {
        if (from < at) this.#cutShort(key, keyStart, keyEnd, after, at);
        this.#keep(key, keyStart, keyEnd, value, valueStart, valueEnd, at, to);
        return to;
      }
      next = from;
    }
    if (next < Number.POSITIVE_INFINITY) {
      this.#keep(key, keyStart, keyEnd, value, valueStart, valueEnd, at, next);
      return next;
    }
    if (valueStart < 0) this.#keepDeletion(key, keyStart, keyEnd, at);
    else newest.put(PLAIN, key, keyStart, keyEnd, value, valueStart, valueEnd, at);
    return LATEST;
  }

  /** Finds the newest version; false where there is none or it is a deletion. */
  findLatest(key: Bytes, keyStart: number, keyEnd: number): boolean {
    const newest = this.#newest;
    if (!newest.find(PLAIN, key, keyStart, keyEnd)) return false;
    this.bytes = newest.bytes;
    this.start = newest.start;
    this.end = newest.end;
    this.validFrom = newest.timestamp;
    this.validTo = Number.POSITIVE_INFINITY;
    return true;
  }

  /** Finds the version that is valid at a moment. */
  findAsOf(key: Bytes, keyStart: number, keyEnd: number, at: Millis): boolean {
    if (this.findLatest(key, keyStart, keyEnd) && this.validFrom <= at) return true;
    if (this.isForgotten(at)) return false;
    const row = this.#firstBehind(key, keyStart, keyEnd, at);
    if (row === undefined || row.timestamp > at || row.bytes[row.start] === DELETION) return false;
    this.bytes = row.bytes;
    this.start = row.start + 1;
    this.end = row.end;
    this.validFrom = row.timestamp;
    return true;
  }

  /** The row of the history that ceases to be valid first after a moment; `validTo` is set to when. */
  #firstBehind(key: Bytes, keyStart: number, keyEnd: number, at: Millis): Scan | undefined {
    const panes = this.#history.panes(this.#panes.of(at));
    if (panes.length === 0) return undefined;
    const from = this.#keys.from(key, keyStart, keyEnd, at + 1);
    const to = this.#keys.to(key, keyStart, keyEnd);
    for (let i = 0; i < panes.length; i++) {
      const scan = this.#history.scan(panes[i]!, from, to);
      if (!scan.next()) continue;
      this.validTo = readInt64(scan.key, TimedKeys.timesAt(scan.keyStart, keyEnd - keyStart));
      return scan;
    }
    return undefined;
  }

  /** Writes a version into the history, over one that ceases to be valid at the same time. */
  #keep(
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
    from: Millis,
    to: Millis,
  ): void {
    const row = this.#value;
    row.clear();
    row.byte(valueStart < 0 ? DELETION : VALUE);
    if (valueStart >= 0) row.copy(value, valueStart, valueEnd);
    this.#write(key, keyStart, keyEnd, row.bytes, 0, row.at, from, to);
  }

  /** A row of the history now ends earlier: at a version that came out of order. */
  #cutShort(key: Bytes, keyStart: number, keyEnd: number, { bytes, start, end, timestamp }: Scan, to: Millis): void {
    this.#write(key, keyStart, keyEnd, bytes, start, end, timestamp, to);
  }

  /** A deletion behind which there is nothing yet; where a version ends at its time, that says it already. */
  #keepDeletion(key: Bytes, keyStart: number, keyEnd: number, at: Millis): void {
    const row = this.#keys.row(key, keyStart, keyEnd, at);
    if (this.#history.find(this.#panes.of(at), row, 0, this.#keys.length)) return;
    this.#keep(key, keyStart, keyEnd, EMPTY, -1, 0, at, at);
  }

  #write(
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    row: Bytes,
    rowStart: number,
    rowEnd: number,
    from: Millis,
    to: Millis,
  ): void {
    const pane = this.#panes.of(to);
    if (pane + this.#historyMs < this.#due) this.#due = pane + this.#historyMs;
    const rowKey = this.#keys.row(key, keyStart, keyEnd, to);
    this.#history.put(pane, rowKey, 0, this.#keys.length, row, rowStart, rowEnd, from);
  }

  /** Drops the panes of versions that ceased to be valid before the history begins. */
  #forget(): void {
    const history = this.#history;
    const first = history.firstPane;
    if (first + this.#historyMs > this.#clock.value) {
      this.#due = first + this.#historyMs;
      return;
    }
    while (history.firstPane + this.#historyMs <= this.#clock.value) history.dropPane(history.firstPane);
    // what was dropped comes back if the step is undone, so the next put looks again
    this.#due = Number.NEGATIVE_INFINITY;
  }
}
