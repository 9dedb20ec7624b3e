import type { Feed } from './feed.ts';
import type { WorkerObserver } from './observer.ts';
import type { Placement } from './placement.ts';
import type { RunningTask } from './running-task.ts';
import type { Wake } from './wake.ts';

export interface TaskSetParts {
  readonly placement: Placement;
  readonly feed: Feed;
  readonly wake: Wake;
  readonly observer: WorkerObserver | undefined;
  /** Opens a task anew: its state restored, its inputs at the committed positions; fails when the signal aborts. */
  open(task: string, signal: AbortSignal): Promise<RunningTask>;
  /** The task ended in this run already. */
  isEnded(task: string): boolean;
  onFailure(failure: unknown): void;
}

/** Tasks that are opened side by side; each may hold a fetch of its changelog. */
const LANES = 8;

/**
 * The tasks that a worker has open. Opening goes on beside the loop, since a restore may take long and the other tasks
 * go on meanwhile.
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

  /** All tasks of the placement are open, or have ended. */
  get complete(): boolean {
    return this.#moving.size === 0 && this.#missing() === undefined;
  }

  /** Begins to open what the placement names and is not open. */
  openMissing(): void {
    for (let lanes = this.#lanes.size; lanes < LANES && this.#missing() !== undefined; lanes++) {
      const round = this.#round;
      const lane = this.#open(round)
        .catch((failure: unknown) => {
          if (round === this.#round) this.#parts.onFailure(failure);
        })
        .finally(() => {
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

  async close(id: string): Promise<void> {
    await this.#endOpening([id]);
    await this.#end(id, (running) => running.close());
  }

  /** Closes what the placement does not name; nothing of it stays open. */
  async closeOthers(): Promise<void> {
    const isOther = (id: string) => !this.#parts.placement.tasks.includes(id);
    for (const id of [...this.#opening.keys(), ...this.#running.keys()].filter(isOther)) await this.close(id);
  }

  /** Forgets everything since the last write-backs; resolves when nothing is open or being opened. */
  async discardAll(): Promise<void> {
    await this.#endAllOpening();
    for (const id of [...this.#running.keys()]) await this.#end(id, (running) => running.discard());
  }

  async closeAll(): Promise<void> {
    await this.#endAllOpening();
    for (const id of [...this.#running.keys()]) await this.close(id);
  }

  async #endAllOpening(): Promise<void> {
    this.#round++;
    await this.#endOpening([...this.#opening.keys()]);
    await Promise.all(this.#lanes);
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
      } finally {
        this.#opening.delete(id);
        this.#moving.delete(id);
      }
    }
  }

  async #openOne(id: string, round: number, signal: AbortSignal): Promise<void> {
    const { placement, feed, observer, wake } = this.#parts;
    const since = placement.since(id);
    let running: RunningTask;
    try {
      running = await this.#parts.open(id, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      throw thrown;
    }
    // what another owner has done meanwhile it would not know
    if (signal.aborted || round !== this.#round || placement.since(id) !== since) return running.discard();
    this.#running.set(id, running);
    observer?.opened(running);
    feed.add(running);
    wake.notify();
  }

  #missing(): string | undefined {
    const { placement, isEnded } = this.#parts;
    const isHere = (id: string) => this.#running.has(id) || this.#moving.has(id) || this.#ended.has(id);
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
