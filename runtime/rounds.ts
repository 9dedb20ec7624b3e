import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';
import type { RunningTask } from './running-task.ts';

/** A worker with nothing to do looks around this often, or as often as it commits where that is seldomer. */
const MOST_REST_MS = 1000;
/** Where a task tells of its time: so often it is looked whether its inputs have become quiet. */
const TIMED_REST_MS = 50;

type Looked = Pick<RunningTask, 'times'> & { readonly task: Pick<RunningTask['task'], 'nextWall'> };

/**
 * Whom the loop of a worker looks at in a turn, and how long it waits behind it. Where every notice that woke it named a
 * task, only these have anything to do: most of a worker's tasks are idle most of the time. Nobody is passed over for
 * longer than until it may have something to do by itself, however often others are named.
 */
export class Rounds<T extends Looked = RunningTask> {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #commitMs: Millis;
  #named: readonly string[] | undefined;
  /** When everybody is looked at again, by the monotonic clock. */
  #lookAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>, commitMs: Millis) {
    this.#clock = clock;
    this.#commitMs = commitMs;
  }

  /** The loop goes on, for these alone where they are told. */
  woken(named: readonly string[] | undefined): void {
    this.#named = named;
  }

  /** At the begin of a turn: those who alone are looked at in it, `undefined` for everybody. */
  few(running: ReadonlyMap<string, T>): readonly T[] | undefined {
    const named = this.#named;
    this.#named = undefined;
    if (named === undefined || this.#clock.monotonic() >= this.#lookAt) return undefined;
    const few: T[] = [];
    for (const name of named) {
      const one = running.get(name);
      if (one === undefined) continue;
      // time moves for others with it
      if (one.times !== undefined) return undefined;
      few.push(one);
    }
    return few;
  }

  /**
   * At its end: how long the loop waits for a notice: until the next commit, `dueMs` from now, where one is owed; else
   * until one of `all` has a timer due by the wall clock.
   */
  waitMs(few: readonly T[] | undefined, all: Iterable<T>, dueMs: number | undefined): Millis {
    const now = this.#clock.monotonic();
    const rest = this.#restMs(few ?? all);
    if (few === undefined || now + rest < this.#lookAt) this.#lookAt = now + rest;
    if (dueMs !== undefined) return dueMs > 0 ? Math.ceil(dueMs) : this.#commitMs;
    return few === undefined ? rest : Math.max(1, Math.ceil(this.#lookAt - now));
  }

  /** For how long none of these has anything to do by itself. */
  #restMs(tasks: Iterable<T>): Millis {
    const now = this.#clock.now();
    let rest = Math.max(this.#commitMs, MOST_REST_MS);
    for (const { task, times } of tasks) {
      if (times !== undefined) rest = Math.min(rest, Math.max(this.#commitMs, TIMED_REST_MS));
      rest = Math.min(rest, Math.ceil(task.nextWall - now));
    }
    return Math.max(1, rest);
  }
}
