import type { Step, Undoable } from '../core/step.ts';
import type { Operator, ResumableScan } from '../operators/operators.ts';

/** Scans asked for within a step; forgotten when it is rolled back, but for one that gave it up. */
export class ScanRequests implements Undoable {
  readonly pending: ResumableScan[] = [];
  readonly #step: Step;
  #touchedIn = -1;
  #mark = 0;
  #first: ResumableScan | undefined;

  constructor(step: Step) {
    this.#step = step;
  }

  add(scan: ResumableScan): void {
    if (this.pending.includes(scan)) return;
    if (this.#touchedIn !== this.#step.serial) {
      this.#touchedIn = this.#step.serial;
      this.#mark = this.pending.length;
      this.#step.touch(this);
    }
    this.pending.push(scan);
  }

  rollback(): void {
    this.pending.length = this.#mark;
  }

  /** Gives up the step until this scan has come to its end. */
  first(scan: ResumableScan): never {
    this.#first = scan;
    return this.#step.miss();
  }

  /** After the rollback of a step that missed: whether a scan gave it up. That scan is then the next. */
  takeFirst(): boolean {
    const scan = this.#first;
    if (scan === undefined) return false;
    this.#first = undefined;
    const at = this.pending.indexOf(scan);
    if (at >= 0) this.pending.splice(at, 1);
    this.pending.unshift(scan);
    return true;
  }

  /** A step that was only looked into has been rolled back. */
  forgetFirst(): void {
    this.#first = undefined;
  }
}

/** Going on with what a crash cut short is a scan of one piece: it may miss. */
export function startOf(operator: Operator): ResumableScan {
  return {
    advance() {
      operator.start?.();
      return false;
    },
  };
}
