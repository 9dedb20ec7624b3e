import type { Bytes } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { KeptNumber, OperatorClock, OperatorContext, ResumableScan } from './operators.ts';
import { LEFT, PendingCursor, type PendingRows, RIGHT, type Side } from './pending-rows.ts';
import { Rec } from './record.ts';

/** How far each side looks ahead, of those sides whose records come alone where they find no partner. */
export interface Ahead {
  readonly left: Millis | undefined;
  readonly right: Millis | undefined;
}

/** Emits one record that found no partner, on behalf of `origin`, the record at hand. */
export type EmitAlone = (
  side: Side,
  origin: Rec,
  cursor: PendingCursor,
  value: Bytes,
  start: number,
  end: number,
) => void;

/** Rows that are emitted within the step of a record; more become a scan of their own, before the record. */
const WITHIN_STEP = 256;
/** Rows of a piece of that scan. */
const PIECE = 64;
/** No flush is under way. */
const NONE = -1;

/**
 * Emits records whose window has passed without a partner: by time, right before left, then by key bytes.
 *
 * When it looks for them is that of Kafka Streams to the letter, since what comes out depends on it: only a record that
 * stands at stream time asks; and only if the earliest time that may wait, plus what the record's own side looks ahead,
 * plus grace, lies behind. That time, `min-time`, is not the true one: it is set to what the last flush looked at last,
 * which is the record behind the first two, one a side, that still waited, or the last of all where only one side waits.
 *
 * A few rows are emitted in the step of the record that asks, before its own results. More become a scan: the record is
 * undone and runs again behind it. The number `flush` tells how far that has come, for a crash may fall within: the stream
 * time to which is being flushed, or, less than -1, the one to which has been, so that the record does not ask again.
 */
export class PendingFlush implements ResumableScan {
  readonly #rows: PendingRows;
  readonly #ahead: Ahead;
  readonly #graceMs: Millis;
  readonly #clock: OperatorClock;
  readonly #context: OperatorContext;
  readonly #emit: EmitAlone;
  readonly #minTime: KeptNumber;
  readonly #flush: KeptNumber;
  /** The stream time up to which all has been emitted that was due: nothing lies before, where rows are taken out. */
  readonly #flushed: KeptNumber;
  /** How many of the row at hand have been emitted. */
  readonly #emitted: KeptNumber;
  /** Time, headers and position of the record that asked. */
  #origin = new Rec();
  #until: Millis = 0;
  /** Where the flush at hand stands, a side. */
  #left: PendingCursor | undefined;
  #right: PendingCursor | undefined;
  /** Something failed within a piece: go row by row, to find out which. */
  #single = false;

  constructor(
    rows: PendingRows,
    ahead: Ahead,
    graceMs: Millis,
    clock: OperatorClock,
    context: OperatorContext,
    emit: EmitAlone,
  ) {
    this.#rows = rows;
    this.#ahead = ahead;
    this.#graceMs = graceMs;
    this.#clock = clock;
    this.#context = context;
    this.#emit = emit;
    this.#minTime = context.number('min-time', Number.POSITIVE_INFINITY);
    this.#flush = context.number('flush', NONE);
    this.#flushed = context.number('flushed', Number.NEGATIVE_INFINITY);
    this.#emitted = context.number('emitted', 0);
  }

  /** A record begins to wait. */
  waits(side: Side, record: Rec): void {
    const { timestamp } = record;
    if (timestamp < this.#minTime.value) this.#minTime.set(timestamp);
    // Only near time 0, where windows are cut.
    if (timestamp < this.#openFrom(side, this.#flushed.value)!) this.#flushed.set(Number.NEGATIVE_INFINITY);
    this.#rows.add(side, record);
  }

  /** A record has met those of the other side's time and its own key: they wait no longer. */
  meets(side: Side, time: Millis, record: Rec): void {
    this.#rows.remove(side, time, record);
  }

  /** Before anything else of a record: goes on with what a crash cut short. May give up the step. */
  resume(record: Rec): void {
    const until = this.#flush.value;
    if (until < 0) return;
    this.#run(record, until);
    this.#flush.set(NONE - 1 - until);
  }

  /** Of a record at stream time, whose side looks ahead so far. May give up the step. */
  ask(record: Rec, aheadMs: Millis): void {
    const flushed = NONE - 1 - this.#flush.value;
    if (flushed >= 0) {
      this.#flush.set(NONE);
      if (flushed === record.timestamp) return;
    }
    const now = this.#clock.value;
    if (this.#minTime.value + aheadMs + this.#graceMs >= now) return;
    this.#minTime.set(Number.POSITIVE_INFINITY);
    this.#run(record, now);
  }

  /** Nothing more will come: all that waits comes out. */
  end(): void {
    const { left, right } = this.#ahead;
    const last = Math.max(this.#closeOf(LEFT, left), this.#closeOf(RIGHT, right));
    if (last === Number.NEGATIVE_INFINITY) return;
    this.#clock.finish(last);
    this.#begin();
  }

  /** The clock has moved by itself: what is due by it comes out, on behalf of no record. */
  time(): void {
    const { left = Number.POSITIVE_INFINITY, right = Number.POSITIVE_INFINITY } = this.#ahead;
    if (this.held() + Math.min(left, right) + this.#graceMs < this.#clock.value) this.#begin();
  }

  /** No later than the earliest time at which anything waits. */
  held(): Millis {
    return this.#rows.table.firstPane;
  }

  #begin(): void {
    this.#origin = new Rec();
    this.#until = this.#flush.value >= 0 ? this.#flush.value : this.#clock.value;
    this.#context.scan(this);
  }

  advance(): boolean {
    const until = this.#until;
    if (this.#flush.value !== until) {
      this.#flush.set(until);
      this.#clock.see(until);
      this.#minTime.set(Number.POSITIVE_INFINITY);
    }
    let more: boolean;
    try {
      more = this.#emitUpTo(until, this.#single ? 1 : PIECE);
    } catch (thrown) {
      if (this.#context.step.missed || this.#single) throw thrown;
      this.#single = true;
      return this.#context.scanFirst(this);
    }
    if (more) return true;
    this.#single = false;
    this.#finish(until);
    this.#flush.set(NONE - 1 - until);
    return false;
  }

  skip(): void {
    this.#single = false;
    this.#emitUpTo(this.#until, 1, true);
  }

  #run(record: Rec, until: Millis): void {
    let more: boolean;
    try {
      more = this.#emitWithin(record, until);
    } catch (thrown) {
      if (this.#context.step.missed) throw thrown;
      // Not the fault of the record at hand: as a scan it is dealt with by itself.
      this.#single = true;
      more = true;
    }
    if (more) {
      this.#until = until;
      this.#context.scanFirst(this);
    }
    this.#finish(until);
  }

  #emitWithin(record: Rec, until: Millis): boolean {
    this.#origin.takeOrigin(record);
    return this.#emitUpTo(until, WITHIN_STEP);
  }

  /** Emits up to so many of those that are due at a stream time, or passes over them; true where there are more. */
  #emitUpTo(until: Millis, most: number, silent = false): boolean {
    const leftOpen = this.#openFrom(LEFT, until);
    const rightOpen = this.#openFrom(RIGHT, until);
    this.#left = this.#waiting(LEFT, leftOpen);
    this.#right = this.#waiting(RIGHT, rightOpen);
    for (let emitted = 0; ; ) {
      const left = this.#left;
      const right = this.#right;
      const leftDue = left !== undefined && left.time < leftOpen!;
      const rightDue = right !== undefined && right.time < rightOpen!;
      if (!leftDue && !rightDue) return false;
      const side = rightDue && (!leftDue || right.time <= left.time) ? RIGHT : LEFT;
      const cursor = side === RIGHT ? right! : left!;
      const { bytes } = cursor.scan;
      const skipped = this.#emitted.value;
      let index = 0;
      for (let start = cursor.firstValue; start >= 0; index++) {
        const end = cursor.valueEnd(start);
        if (index >= skipped) {
          if (emitted === most) {
            if (index > skipped) this.#emitted.set(index);
            return true;
          }
          this.#minTime.set(cursor.time);
          if (!silent) this.#emit(side, this.#origin, cursor, bytes, start, end);
          emitted++;
        }
        start = cursor.valueAfter(end);
      }
      if (skipped > 0) this.#emitted.set(0);
      cursor.remove();
      if (cursor.next()) continue;
      if (side === RIGHT) this.#right = undefined;
      else this.#left = undefined;
    }
  }

  /** What waits of a side, from the first on; `undefined` where nothing does. */
  #waiting(side: Side, open: Millis | undefined): PendingCursor | undefined {
    if (open === undefined) return undefined;
    // Rows are taken out in order of time: of those that are due none lies before the one that came last.
    const emitted = this.#minTime.value;
    const before = this.#openFrom(side, this.#flushed.value)!;
    const from = emitted === Number.POSITIVE_INFINITY ? before : Math.max(before, Math.min(emitted, open));
    const cursor = new PendingCursor(this.#rows, side, from);
    return cursor.next() ? cursor : undefined;
  }

  /** The earliest time at which a record of a side still waits at a stream time. */
  #openFrom(side: Side, until: Millis): Millis | undefined {
    const ahead = side === LEFT ? this.#ahead.left : this.#ahead.right;
    return ahead === undefined ? undefined : Math.max(0, until - ahead - this.#graceMs);
  }

  #closeOf(side: Side, aheadMs: Millis | undefined): Millis {
    const last = aheadMs === undefined ? -1 : this.#rows.lastTime(side);
    return last < 0 ? Number.NEGATIVE_INFINITY : last + aheadMs! + this.#graceMs + 1;
  }

  /** All that was due has been emitted, which has set `min-time` to the time of the last; the cursors stand behind. */
  #finish(until: Millis): void {
    this.#flushed.set(until);
    const left = this.#left;
    const right = this.#right;
    if (left === undefined && right === undefined) return;
    if (left === undefined || right === undefined) {
      const last = this.#rows.lastTime(left === undefined ? RIGHT : LEFT);
      const emitted = this.#minTime.value;
      this.#minTime.set(emitted > last && emitted !== Number.POSITIVE_INFINITY ? emitted : last);
    } else if (left.time >= right.time) this.#minTime.set(this.#timeAfter(left, RIGHT, left.time + 1));
    else this.#minTime.set(this.#timeAfter(right, LEFT, right.time));
  }

  /** The time of what stands behind the first record of a row, of both sides; its own where nothing does. */
  #timeAfter(cursor: PendingCursor, other: Side, from: Millis): Millis {
    const { time } = cursor;
    if (cursor.valueAfter(cursor.valueEnd(cursor.firstValue)) >= 0) return time;
    const next = cursor.next() ? cursor.time : Number.POSITIVE_INFINITY;
    const beside = new PendingCursor(this.#rows, other, from);
    const least = Math.min(next, beside.next() ? beside.time : Number.POSITIVE_INFINITY);
    return least === Number.POSITIVE_INFINITY ? time : least;
  }
}
