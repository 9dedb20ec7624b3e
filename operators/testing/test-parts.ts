import type { Step, Undoable } from '../../core/step.ts';
import type { KeptNumber } from '../operators.ts';
import { NO_ALARM } from '../operators.ts';

/** Undo in its plainest form: at the first touch within a step, note how to put everything back. */
abstract class Undone implements Undoable {
  readonly #step: Step;
  #touchedIn = -1;
  #putBack: () => void = () => {};

  constructor(step: Step) {
    this.#step = step;
  }

  /** Answers how to put back what is there now. */
  abstract keep(): () => void;

  protected touch(): void {
    if (this.#touchedIn === this.#step.serial) return;
    this.#touchedIn = this.#step.serial;
    this.#putBack = this.keep();
    this.#step.touch(this);
  }

  rollback(): void {
    this.#putBack();
  }
}

export class TestNumber extends Undone implements KeptNumber {
  value: number;

  constructor(step: Step, initial: number) {
    super(step);
    this.value = initial;
  }

  set(value: number): void {
    this.touch();
    this.value = value;
  }

  keep(): () => void {
    const { value } = this;
    return () => {
      this.value = value;
    };
  }
}

export class TestList<T> extends Undone {
  items: readonly T[] = [];

  add(item: T): void {
    this.touch();
    this.items = [...this.items, item];
  }

  /** What was added behind the first `before` comes first, before what stands first, which goes where `more` is false. */
  nest(before: number, more: boolean): void {
    this.touch();
    this.items = [...this.items.slice(before), ...this.items.slice(more ? 0 : 1, before)];
  }

  take(): T | undefined {
    const [first, ...rest] = this.items;
    this.touch();
    this.items = rest;
    return first;
  }

  keep(): () => void {
    const { items } = this;
    return () => {
      this.items = items;
    };
  }
}

/** A punctuation, or an alarm, which has no interval. */
export interface TestTimer {
  readonly intervalMs: number | undefined;
  readonly time: 'stream' | 'wall';
  readonly fire: (at: number, due: number) => void;
  readonly next: TestNumber;
}

export function fireTimer({ intervalMs, next, fire }: TestTimer, now: number): void {
  const due = next.value;
  const after = intervalMs === undefined ? NO_ALARM : due + (Math.floor((now - due) / intervalMs) + 1) * intervalMs;
  next.set(after);
  fire(now, due);
}
