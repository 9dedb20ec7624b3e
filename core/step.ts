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

  readonly #touched: Undoable[] = [];
  readonly #settling: Settling[] = [];

  begin(): void {
    this.serial++;
    this.missed = false;
  }

  touch(part: Undoable): void {
    this.#touched.push(part);
  }

  touchSettling(part: Settling): void {
    this.#touched.push(part);
    this.#settling.push(part);
  }

  miss(): never {
    this.missed = true;
    throw MISS;
  }

  rollback(): void {
    const touched = this.#touched;
    for (let i = touched.length - 1; i >= 0; i--) touched[i]!.rollback();
    touched.length = 0;
    this.#settling.length = 0;
    this.serial++;
  }

  settle(): void {
    const settling = this.#settling;
    for (let i = 0; i < settling.length; i++) settling[i]!.settle();
    settling.length = 0;
    this.#touched.length = 0;
  }
}
