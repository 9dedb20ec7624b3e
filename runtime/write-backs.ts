import type { Clock } from '../core/clock.ts';
import { failpoint } from '../core/failpoints.ts';
import type { Millis } from '../core/ids.ts';
import type { TaskState } from '../state/state.ts';
import type { RunSettings } from './runtime.ts';
import type { Wake } from './wake.ts';

/** Least time between two tries to make room where all rows are written: another task may hold what is too much. */
const RELIEF_MS: Millis = 20;

export interface WriteBacksParts {
  readonly clock: Clock;
  readonly settings: RunSettings;
  readonly wake: Wake;
  onFailure(failure: unknown): void;
}

/**
 * When the committed rows of a worker's tasks reach their stores: beside the loop, one task at a time, first the one
 * that waits longest. Over the memory bound every task is asked, since only written rows can be evicted.
 */
export class WriteBacks {
  readonly #parts: WriteBacksParts;
  #writing: Promise<void> | undefined;
  #relieveAt: Millis = 0;

  constructor(parts: WriteBacksParts) {
    this.#parts = parts;
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** Starts the next one that is due, unless one is under way. */
  start(states: readonly TaskState[]): void {
    if (this.#writing !== undefined) return;
    const now = this.#parts.clock.now();
    const next = this.#next(states, now);
    if (next !== undefined) this.#begin([next]);
    else if (now >= this.#relieveAt && states.some((state) => state.overBudget)) {
      this.#relieveAt = now + RELIEF_MS;
      this.#begin(states);
    }
  }

  #next(states: readonly TaskState[], now: Millis): TaskState | undefined {
    const { writeBackMs, writeBackBytes } = this.#parts.settings;
    let next: TaskState | undefined;
    for (const state of states) {
      const since = state.unwrittenSince;
      if (since === undefined) continue;
      if (now - since < writeBackMs && !state.overBudget && state.unwrittenBytes < writeBackBytes) continue;
      if (next === undefined || since < next.unwrittenSince!) next = state;
    }
    return next;
  }

  #begin(states: readonly TaskState[]): void {
    failpoint('store.writing');
    this.#writing = this.#write(states)
      .catch((failure: unknown) => this.#parts.onFailure(failure))
      .finally(() => {
        this.#writing = undefined;
        this.#parts.wake.notify();
      });
  }

  async #write(states: readonly TaskState[]): Promise<void> {
    for (const state of states) await state.writeBack();
    failpoint('store.written');
  }
}
