import type { Clock } from '../core/clock.ts';
import { doubled } from '../core/duration.ts';
import type { Millis } from '../core/ids.ts';
import type { Feed } from './feed.ts';
import type { WorkerObserver } from './observer.ts';
import type { Placement } from './placement.ts';
import type { RunningTask } from './running-task.ts';
import type { Wake } from './wake.ts';

export interface TaskSetParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly placement: Placement;
  readonly feed: Feed;
  readonly wake: Wake;
  readonly observer: WorkerObserver | undefined;
  /** Opens a task anew: its state restored, its inputs at the committed positions; fails when the signal aborts. */
  open(task: string, signal: AbortSignal): Promise<RunningTask>;
  /** Resolves when no store is being written: it may be closed then. */
  idle(): Promise<void>;
  /** The task ended in this run already. */
  isEnded(task: string): boolean;
  /** Whether to open a task once more helps. Until then the others go on. */
  passes(failure: unknown): boolean;
  onFailure(failure: unknown): void;
}

/** After a task could not be opened it is tried again so much later, and each time twice as much. */
const FIRST_REST_MS: Millis = 20;
const LONGEST_REST_MS: Millis = 5000;
/** Tasks that are opened side by side; each may hold a fetch of its changelog. */
const LANES = 8;

/**
 * The tasks that a worker has open. Opening and closing go on beside the loop, since a restore, or the rows that a store
 * has not written yet, may take long and the other tasks go on meanwhile.
 */
export class TaskSet {
  readonly #parts: TaskSetParts;
  readonly #running = new Map<string, RunningTask>();
  /** Being opened or closed: not to be opened now. */
  readonly #moving = new Set<string>();
  readonly #opening = new Map<string, { readonly stop: AbortController; readonly over: Promise<void> }>();
  /** Ended and committed by this worker; the ledger tells a little later. */
  readonly #ended = new Set<string>();
  readonly #lanes = new Set<Promise<void>>();
  readonly #closing = new Map<string, Promise<void>>();
  /** How often tasks could not be opened, and what ends the rest of those that are tried again later. */
  readonly #failures = new Map<string, number>();
  readonly #resting = new Map<string, () => void>();
  /** Raised whenever all tasks are discarded: what is being opened then is not wanted any more. */
  #round = 0;
  #closedRecords = 0;

  constructor(parts: TaskSetParts) {
    this.#parts = parts;
  }

  get running(): ReadonlyMap<string, RunningTask> {
    return this.#running;
  }

  /** Records taken by tasks that are no longer here. */
  get closedRecords(): number {
    return this.#closedRecords;
  }

  /** One of those that run has done something since the last commit. */
  get worked(): boolean {
    for (const { task } of this.#running.values()) if (task.worked) return true;
    return false;
  }

  /** One of them wants a commit soon: it has ended, or memory asks for it. */
  get urgent(): boolean {
    for (const { task } of this.#running.values())
      if (task.state.overBudget || (task.finished && task.worked)) return true;
    return false;
  }

  /** All tasks of the placement are open, or have ended. */
  get complete(): boolean {
    return this.#moving.size === 0 && this.#resting.size === 0 && this.#missing() === undefined;
  }

  /** Whether a task of the placement is being opened, or is to be. */
  readonly isComing = (id: string): boolean => {
    const { placement, isEnded } = this.#parts;
    const isOver = this.#running.has(id) || this.#ended.has(id) || this.#resting.has(id);
    return placement.tasks.includes(id) && !isOver && !isEnded(id);
  };

  /** Begins to open what the placement names and is not open. */
  openMissing(): void {
    for (let lanes = this.#lanes.size; lanes < LANES && this.#missing() !== undefined; lanes++) {
      const round = this.#round;
      const lane = this.#open(round).finally(() => {
        this.#lanes.delete(lane);
        this.#parts.wake.notify();
      });
      this.#lanes.add(lane);
    }
  }

  /** Closes a task that has ended: it is not opened again. */
  retire(id: string): Promise<void> {
    this.#ended.add(id);
    return this.close(id);
  }

  /** From the call on the task runs no more, nor is it opened; resolves when nothing of it is open. */
  close(id: string): Promise<void> {
    const closing = this.#opening.has(id) ? this.#endOpening([id]) : this.#endRunning(id);
    if (closing === undefined) return this.#closing.get(id) ?? Promise.resolve();
    this.#closing.set(id, closing);
    const done = () => {
      if (this.#closing.get(id) === closing) this.#closing.delete(id);
    };
    closing.then(done, done);
    return closing;
  }

  /** Closes what the placement does not name; nothing of it stays open. */
  async closeOthers(): Promise<void> {
    const isOther = (id: string) => !this.#parts.placement.tasks.includes(id);
    const here = new Set([...this.#opening.keys(), ...this.#running.keys(), ...this.#closing.keys()]);
    await Promise.all([...here].filter(isOther).map((id) => this.close(id)));
  }

  /** Forgets everything since the last write-backs; resolves when nothing is open or being opened. */
  async discardAll(): Promise<void> {
    await this.#endMoving();
    for (const id of [...this.#running.keys()]) await this.#end(id, (running) => running.discard());
  }

  async closeAll(): Promise<void> {
    await this.#endMoving();
    for (const id of [...this.#running.keys()]) await this.close(id);
  }

  #endRunning(id: string): Promise<void> | undefined {
    if (!this.#running.has(id)) return undefined;
    return this.#end(id, async (running) => {
      await this.#parts.idle();
      await running.close();
    });
  }

  async #endMoving(): Promise<void> {
    this.#round++;
    for (const cancel of this.#resting.values()) cancel();
    this.#resting.clear();
    await this.#endOpening([...this.#opening.keys()]);
    await Promise.all(this.#lanes);
    // whoever closes them is told of failures
    await Promise.allSettled(this.#closing.values());
  }

  async #endOpening(ids: readonly string[]): Promise<void> {
    const opening = ids.flatMap((id) => this.#opening.get(id) ?? []);
    for (const { stop } of opening) stop.abort();
    await Promise.all(opening.map(({ over }) => over));
  }

  async #open(round: number): Promise<void> {
    for (let id = this.#missing(); id !== undefined && round === this.#round; id = this.#missing()) {
      this.#moving.add(id);
      const stop = new AbortController();
      const opened = this.#openOne(id, round, stop.signal);
      const over = opened.catch(() => undefined);
      this.#opening.set(id, { stop, over });
      try {
        await opened;
      } catch (failure) {
        if (round !== this.#round) return;
        if (!this.#parts.passes(failure)) {
          this.#parts.onFailure(failure);
          return;
        }
        this.#rest(id, failure);
      }
    }
  }

  #rest(id: string, failure: unknown): void {
    const failures = this.#failures.get(id) ?? 0;
    this.#failures.set(id, failures + 1);
    const restMs = doubled(FIRST_REST_MS, failures, LONGEST_REST_MS);
    this.#parts.observer?.unopened(id, failure, restMs);
    const end = () => {
      this.#resting.delete(id);
      this.openMissing();
    };
    this.#resting.set(id, this.#parts.clock.after(restMs, end, true));
  }

  async #openOne(id: string, round: number, signal: AbortSignal): Promise<void> {
    const { placement, feed, observer, wake } = this.#parts;
    const since = placement.since(id);
    try {
      const running = await this.#opened(id, signal);
      if (running === undefined) return;
      // what another owner has done meanwhile it would not know
      if (signal.aborted || round !== this.#round || placement.since(id) !== since) {
        await running.discard();
        return;
      }
      this.#running.set(id, running);
      this.#failures.delete(id);
      running.task.open();
      observer?.opened(running);
      feed.add(running);
      wake.notify();
    } finally {
      // at once, so that a task is either being opened or runs
      this.#opening.delete(id);
      this.#moving.delete(id);
    }
  }

  /** `undefined` where nobody waits for it any more. */
  async #opened(id: string, signal: AbortSignal): Promise<RunningTask | undefined> {
    try {
      return await this.#parts.open(id, signal);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      throw thrown;
    }
  }

  #missing(): string | undefined {
    const { placement, isEnded } = this.#parts;
    const isHere = (id: string) =>
      this.#running.has(id) || this.#moving.has(id) || this.#ended.has(id) || this.#resting.has(id);
    return placement.tasks.find((id) => !isHere(id) && !isEnded(id));
  }

  async #end(id: string, end: (running: RunningTask) => Promise<void>): Promise<void> {
    const { feed, observer } = this.#parts;
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    this.#moving.add(id);
    this.#closedRecords += running.task.records;
    feed.remove(running);
    try {
      await end(running);
    } finally {
      this.#moving.delete(id);
      observer?.closed(running);
    }
  }
}
