import type { Clock } from '../core/clock.ts';
import { doubled } from '../core/duration.ts';
import type { Millis } from '../core/ids.ts';

/** What lies further back counts no more. An epoch that the log does not take may last for a minute. */
const MEMORY_MS: Millis = 300_000;
/** So many failures are one too many. */
const TOO_MANY = 2;
/** While tasks take turns, it is looked so often whose is next. */
const LOOK_MS: Millis = 50;
/** For so long a turn is kept for a task that has nothing to do, since it was opened just now. */
const FIRST_MS: Millis = 1000;
/** After its first failure a task that was set apart rests for so long, and after each more for twice as long. */
const REST_MS: Millis = 50;
const LONGEST_REST_MS: Millis = 5000;
/** What a task that was set apart commits well before it goes back to the others. */
const WELL_COMMITS = 10;
/** ... and for how long it has not failed by then. */
const WELL_MS: Millis = 30_000;

export interface TurnsOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Tasks always commit one at a time: each has failed before. */
  readonly alone: boolean;
}

interface Past {
  /** How often the task has failed in a row, or where that is sure, one soon after the other; and when it last did. */
  readonly failures: number;
  readonly at: Millis;
  /** Its commits since it last failed. */
  commits: number;
  /** Those of others since it first did. */
  others: number;
}

/**
 * Which of its tasks a worker lets run in the epoch at hand, so that one that makes epochs fail is found. Tasks share
 * epochs until two of these have failed within {@link MEMORY_MS}; then each has its turn: an epoch of its own, the one
 * that failed last behind the others. A task that fails twice in a row so, though others have committed meanwhile, is at
 * fault itself, and is to be set apart. Where the log does not answer at all, nobody commits, and nobody is.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #past = new Map<string, Past>();
  /** Who is to have a turn of its own, in that order. */
  #due: readonly string[] = [];
  #solo: string | undefined;
  /** Whether a turn is kept for a task that has nothing to do yet, and since when all of them are open. */
  #waits = false;
  #complete: Millis | undefined;
  /** Those that run now do so one at a time. */
  #apart = false;
  #shared: readonly Millis[] = [];
  /** Who has just failed once too often. */
  #guilty: string | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** The task whose epoch it is, and nobody else's. */
  get solo(): string | undefined {
    return this.#solo;
  }

  /**
   * Those that may run now, in that order; the first that does something may have the epoch to itself. That begins only
   * where `isNew`: nothing was done in it yet. Who has had its turn goes on while others are still being opened.
   */
  of<T>(running: ReadonlyMap<string, T>, isNew: boolean, isComing: (task: string) => boolean): Iterable<T> {
    if (!this.areTaken) {
      this.#apart = false;
      return running.values();
    }
    const isHere = (id: string) => running.has(id) && !this.#rests(id);
    if (this.#solo !== undefined && !isHere(this.#solo)) this.#solo = undefined;
    if (this.#options.alone && !this.#due.some(isHere)) this.#begin([...running.keys()].filter(isHere), false);
    if (!this.#due.some(isComing)) this.#complete ??= this.#options.clock.monotonic();
    this.#apart = true;
    if (this.#solo !== undefined) return [running.get(this.#solo)!];
    // the last one would keep those before it from their turn, should it fail again
    const first = this.#isOver || this.#due.length === 1 ? this.#due : this.#due.slice(0, -1);
    const next = isNew ? first.filter(isHere) : [];
    const others = [...running.keys()].filter((id) => !this.#due.includes(id));
    if (this.#options.alone) next.push(...others.filter((id) => isNew && isHere(id)));
    else if (next.length === 0) {
      this.#apart = false;
      next.push(...others);
    }
    return next.map((id) => running.get(id)!);
  }

  /** A task has run; answers whether the epoch is its own, and no other task runs in it. */
  ran(id: string, worked: boolean): boolean {
    if (!this.#apart) return false;
    if (worked) this.#solo = id;
    else if (this.#isOver) this.#pass(id);
    return worked;
  }

  /** The epoch was cut; answers whether another task has its turn now. */
  cut(): boolean {
    const solo = this.#solo;
    if (solo === undefined) return false;
    this.#pass(solo);
    return true;
  }

  /** Each has epochs of its own now, or is to have one. */
  get areTaken(): boolean {
    return this.#due.length > 0 || this.#solo !== undefined || this.#options.alone;
  }

  /** How long a loop may wait that has nothing to do for so long: no longer than a turn may be due again. */
  waitMs(ms: Millis): Millis {
    return this.areTaken ? Math.min(ms, LOOK_MS) : ms;
  }

  /** An epoch of these tasks is committed. Answers those that were set apart and have gone well since. */
  held(tasks: readonly string[]): readonly string[] {
    for (const [id, past] of this.#past) if (!tasks.includes(id)) past.others++;
    for (const id of tasks) {
      const past = this.#past.get(id);
      if (past !== undefined) past.commits++;
    }
    return this.#options.alone ? tasks.filter((id) => this.#isWell(id)) : [];
  }

  /** An epoch of these tasks has failed, or `sure`, by itself, the one that is named. `all`: the tasks of the worker. */
  failed(tasks: readonly string[], sure: boolean, all: readonly string[]): void {
    this.#solo = undefined;
    const now = this.#options.clock.monotonic();
    const [only] = tasks;
    if (only === undefined || tasks.length > 1) {
      this.#shared = [...this.#shared.filter((at) => now - at < MEMORY_MS), now];
      if (this.#shared.length >= TOO_MANY) this.#begin(all, true);
      return;
    }
    const before = this.#past.get(only);
    const isAgain = before !== undefined && (sure ? now - before.at < MEMORY_MS : before.commits === 0);
    const [failures, others] = isAgain ? [before.failures + 1, before.others] : [1, 0];
    this.#past.set(only, { failures, at: now, commits: 0, others });
    this.#begin([...all.filter((id) => id !== only), only], true);
    if (failures >= TOO_MANY && (sure || others > 0)) this.#guilty = only;
  }

  /** Who is to be set apart, of these tasks, if so: not the only one. */
  takeGuilty(all: readonly string[]): string | undefined {
    const guilty = this.#guilty;
    this.#guilty = undefined;
    this.#solo = undefined;
    if (this.#options.alone || guilty === undefined || !all.includes(guilty) || all.length === 1) return undefined;
    this.#past.delete(guilty);
    this.#pass(guilty);
    return guilty;
  }

  #rests(id: string): boolean {
    const past = this.#past.get(id);
    if (!this.#options.alone || past === undefined || past.commits > 0 || past.failures === 0) return false;
    const restMs = doubled(REST_MS, past.failures - 1, LONGEST_REST_MS);
    return this.#options.clock.monotonic() - past.at < restMs;
  }

  #isWell(id: string): boolean {
    const now = this.#options.clock.monotonic();
    const past = this.#past.get(id);
    // it had failed before it came here
    if (past === undefined) this.#past.set(id, { failures: 0, at: now, commits: 1, others: 0 });
    if (past === undefined || past.commits < WELL_COMMITS || now - past.at < WELL_MS) return false;
    this.#past.delete(id);
    return true;
  }

  /** Nobody is waited for: all are open, and their first records had time to come. */
  get #isOver(): boolean {
    if (!this.#waits) return true;
    return this.#complete !== undefined && this.#options.clock.monotonic() - this.#complete >= FIRST_MS;
  }

  #begin(due: readonly string[], waits: boolean): void {
    this.#due = due;
    this.#waits = waits;
    this.#complete = undefined;
  }

  #pass(id: string): void {
    this.#due = this.#due.filter((each) => each !== id);
    if (this.#solo === id) this.#solo = undefined;
  }
}
