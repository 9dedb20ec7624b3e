import type { Millis } from '../core/ids.ts';
import type { Undoable } from '../core/step.ts';
import type { Scan, Table } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import { createFinalRow, type FinalRow } from './final-row.ts';
import { NOWHERE } from './fuse.ts';
import type { KeptNumber, OperatorClock, OperatorContext, Push, ResumableScan } from './operators.ts';

/**
 * Closes the windows of one aggregate whose rows lie by panes: emits their final results, where somebody wants them, by
 * end of window and then by key bytes, and drops their panes. A pane closes when the clock is past it by a span. It is
 * dropped when it has closed and lies behind the newest pane by the retention: until then its rows can be looked up, so
 * that final results of one aggregate meet those of another.
 *
 * Finals are a scan, one row a step, so a commit or a crash may fall between any two. Where it stands is told by two
 * kept numbers: `closed`, the start below which all windows have been emitted, and `emitted`, how many rows of the
 * window at hand have been. A count is a safe place to stand because a closed window never changes: the clock that
 * judges records late is committed with these numbers and the rows. So no final is lost, none comes twice, and a
 * window costs one changelog record when its pane is dropped, not one for each row.
 *
 * What else is held here may be forgotten at any time: the open cursor, the count of rows it has been moved over
 * (undone with the step, as the cursor is), and `due`, which is never later than the truth.
 */
export class WindowCloser implements ResumableScan, Undoable {
  /** The earliest clock at which there is something to do: one comparison a record. */
  due: Millis = Number.NEGATIVE_INFINITY;

  readonly #table: Table;
  readonly #spanMs: Millis;
  readonly #retentionMs: Millis;
  readonly #clock: OperatorClock;
  readonly #closed: KeptNumber;
  readonly #emitted: KeptNumber;
  /** The newest pane that ever was written. */
  readonly #newest: KeptNumber;
  readonly #context: OperatorContext;
  readonly #finals: Push;
  readonly #row: FinalRow;

  #scan: Scan | undefined;
  #pane: Millis = Number.NaN;
  /** Rows that the cursor has been moved over; the last of them is in `#row`. */
  #seen = 0;
  #savedSeen = 0;
  #touchedIn = -1;

  constructor(node: NodeOf<'aggregate'>, spanMs: Millis, clock: OperatorClock, context: OperatorContext, finals: Push) {
    this.#table = context.table(node.store);
    this.#spanMs = spanMs;
    this.#retentionMs = Math.max(spanMs, context.storeSerdes(node.store).retentionMs ?? 0);
    this.#clock = clock;
    this.#closed = context.number('closed', 0);
    this.#emitted = context.number('emitted', 0);
    this.#newest = context.number('newest', -1);
    this.#context = context;
    this.#finals = finals;
    this.#row = createFinalRow(node, context, this.#table);
  }

  /** A pane was written. */
  wrote(pane: Millis): void {
    if (pane <= this.#newest.value) return;
    this.#newest.set(pane);
    this.#dropPanes();
  }

  /** Does what is due by the clock. */
  close(): void {
    if (this.#finals !== NOWHERE && this.#firstOpen() + this.#spanMs <= this.#clock.value) {
      this.#context.scan(this);
      return;
    }
    this.due = this.#dropPanes() ? Number.NEGATIVE_INFINITY : this.#nextDue();
  }

  /** The start of the earliest window whose final results are wanted and have not all gone out, or Infinity. */
  held(): Millis {
    return this.#finals === NOWHERE ? Number.POSITIVE_INFINITY : this.#firstOpen();
  }

  /** Closes every window: the clock goes to where the last one closes, so that what comes later finds them closed. */
  end(): void {
    if (this.#finals === NOWHERE) return;
    const last = this.#table.panes(this.#closed.value).at(-1);
    if (last === undefined) return;
    this.#clock.finish(last + this.#spanMs);
    this.close();
  }

  advance(): boolean {
    const pane = this.#firstOpen();
    if (pane + this.#spanMs > this.#clock.value) {
      this.#forget();
      return false;
    }
    if (this.#load(pane)) {
      this.#emitted.set(this.#emitted.value + 1);
      this.#finals(this.#row.record());
      return true;
    }
    this.#closed.set(pane + 1);
    this.#emitted.set(0);
    this.#dropPanes();
    this.#forget();
    return true;
  }

  skip(): void {
    this.#emitted.set(this.#emitted.value + 1);
  }

  rollback(): void {
    this.#seen = this.#savedSeen;
  }

  /** Brings the first row not yet emitted; false where the pane has no more. May miss. */
  #load(pane: Millis): boolean {
    const wanted = this.#emitted.value;
    if (this.#pane !== pane || this.#seen > wanted) {
      this.#scan = this.#table.scan(pane);
      this.#pane = pane;
      this.#seen = 0;
    }
    const { step } = this.#context;
    if (this.#touchedIn !== step.serial) {
      this.#touchedIn = step.serial;
      this.#savedSeen = this.#seen;
      step.touch(this);
    }
    const scan = this.#scan!;
    while (this.#seen <= wanted) {
      if (!scan.next()) return false;
      this.#seen++;
      if (this.#seen > wanted) this.#row.take(pane, scan);
    }
    return true;
  }

  /** Ended scans are opened anew: what lies behind may be rolled back. */
  #forget(): void {
    this.#scan = undefined;
    this.#pane = Number.NaN;
    this.due = Number.NEGATIVE_INFINITY;
  }

  /** The start of the earliest window with rows that has not been emitted, or Infinity. */
  #firstOpen(): Millis {
    const first = this.#table.firstPane;
    if (first >= this.#closed.value) return first;
    return this.#table.panes(this.#closed.value)[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Drops panes that have closed, past their retention, emitted where finals are wanted. Answers whether there were any. */
  #dropPanes(): boolean {
    const table = this.#table;
    const before = this.#finals === NOWHERE ? Number.POSITIVE_INFINITY : this.#closed.value;
    let dropped = false;
    for (;;) {
      const first = table.firstPane;
      const kept = first + this.#retentionMs > this.#newest.value || first + this.#spanMs > this.#clock.value;
      if (first >= before || kept) return dropped;
      table.dropPane(first);
      dropped = true;
    }
  }

  #nextDue(): Millis {
    const first = this.#table.firstPane;
    const dropAt = first + this.#retentionMs > this.#newest.value ? Number.POSITIVE_INFINITY : first + this.#spanMs;
    return this.#finals === NOWHERE ? dropAt : Math.min(dropAt, this.#firstOpen() + this.#spanMs);
  }
}
