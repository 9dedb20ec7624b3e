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
  onFailure(failure: unknown, task: string): void;
}

/** A task whose rows are written. */
export interface Writing {
  readonly task: { readonly id: string; readonly state: TaskState };
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
  start(tasks: ReadonlyMap<string, Writing>): void {
    if (this.#writing !== undefined) return;
    const { writeBackMs, writeBackBytes } = this.#parts.settings;
    const now = this.#parts.clock.now();
    let next: Writing | undefined;
    let longest: Millis = Number.POSITIVE_INFINITY;
    let isOver = false;
    for (const each of tasks.values()) {
      const { state } = each.task;
      const { overBudget, unwrittenSince: since } = state;
      isOver ||= overBudget;
      if (since === undefined || since >= longest) continue;
      if (now - since < writeBackMs && !overBudget && state.unwrittenBytes < writeBackBytes) continue;
      next = each;
      longest = since;
    }
    if (next !== undefined) this.#begin([next]);
    else if (isOver && now >= this.#relieveAt) {
      this.#relieveAt = now + RELIEF_MS;
      this.#begin([...tasks.values()]);
    }
  }

  #begin(tasks: readonly Writing[]): void {
    failpoint('store.writing');
    this.#writing = this.#write(tasks).finally(() => {
      this.#writing = undefined;
      this.#parts.wake.notify();
    });
  }

  async #write(tasks: readonly Writing[]): Promise<void> {
    for (const { task } of tasks) {
      const { id, state } = task;
      try {
        await state.writeBack();
      } catch (failure) {
        this.#parts.onFailure(failure, id);
        return;
      }
    }
    failpoint('store.written');
  }
}
