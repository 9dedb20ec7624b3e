/**
 * The undo scope of one record (or of one row of a scan).
 *
 * Operators are synchronous; a store may be cold. When an operator reads a row that is not in
 * memory, everything the record has done so far is taken back, the row is fetched, and the record
 * runs again. "Everything" is: rows, operator clocks, timers, counters, late records, dead letters,
 * output buffers. Each of these is an {@link Undoable}: at its first change within a step it calls
 * {@link Step.touch} and keeps what it needs to take the change back.
 *
 * Life of a step, driven by the task alone:
 *
 *     step.begin();
 *     run the record depth-first;
 *     if (step.missed || failed) step.rollback(); else step.settle();
 *
 * The rule for an Undoable, which costs one comparison on the fast path:
 *
 *     if (this.touchedIn !== step.serial) { this.touchedIn = step.serial; this.save(); step.touch(this); }
 *
 * `miss()` sets `missed` and throws. The task looks at `missed`, not at the exception, so that user
 * code which catches everything cannot swallow a miss. In probe mode (`probing`) reads are collected
 * and every effect is rolled back, also where nothing was missed.
 */
export interface Undoable {
  /** Take back all changes since the first touch of the current step. */
  rollback(): void;
}

/** An Undoable that has to know when its changes stand; it calls {@link Step.touchSettling} instead. */
export interface Settling extends Undoable {
  /** The changes stand; drop what was kept for undoing. */
  settle(): void;
}

/** Thrown through user code at a cold read. Never caught on purpose but by the task. */
export const MISS: Error = Object.freeze(
  Object.assign(new Error('a cold read: the record will run again once its rows are in memory'), {
    name: 'Miss',
    stack: '',
  }),
);

export class Step {
  /** Rises with every step; compare it to know whether this step has touched you already. */
  serial = 0;
  missed = false;
  probing = false;
  /** Numbers what begins (batches of records), so that it can be put in order; never taken back. */
  begun = 0;

  // Filled up to a count: an array set to length 0 gives its memory back and takes it anew at the next push.
  // Overwritten from the start in each step: setting an array's length to 0 costs more than all the rest.
  readonly #touched: Undoable[] = [];
  #touchedCount = 0;
  readonly #settling: Settling[] = [];
  #settlingCount = 0;

  begin(): void {
    this.serial++;
    this.missed = false;
  }

  touch(part: Undoable): void {
    this.#touched[this.#touchedCount++] = part;
  }

  touchSettling(part: Settling): void {
    this.#touched[this.#touchedCount++] = part;
    this.#settling[this.#settlingCount++] = part;
  }

  miss(): never {
    this.missed = true;
    throw MISS;
  }

  rollback(): void {
    for (let i = this.#touchedCount - 1; i >= 0; i--) this.#touched[i]!.rollback();
    this.#touchedCount = 0;
    this.#settlingCount = 0;
    this.serial++;
  }

  settle(): void {
    for (let i = 0; i < this.#settlingCount; i++) this.#settling[i]!.settle();
    this.#settlingCount = 0;
    this.#touchedCount = 0;
  }
}
