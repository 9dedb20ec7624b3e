import { Committer, type EpochPart, type Outputs } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError, isFlowError } from '../core/errors.ts';
import { failpoint } from '../core/failpoints.ts';
import type { Step } from '../core/step.ts';
import type { GroupIdentity, Log, LogProducer } from '../log/log.ts';
import type { Feed } from './feed.ts';
import type { RunningTask } from './running-task.ts';
import type { RunSettings } from './runtime.ts';
import type { Wake } from './wake.ts';

export interface WorkerParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: RunSettings;
  readonly producer: LogProducer;
  readonly ledgerTopic: string;
  readonly wake: Wake;
  readonly step: Step;
  readonly outputs: Outputs;
  readonly feed: Feed;
  /** Opens a task anew: its state restored, its inputs at the committed positions. */
  open(task: string): Promise<RunningTask>;
  /** The task ended in this run already. */
  isEnded(task: string): boolean;
}

/**
 * One event loop: feeds its tasks, lets them run, commits them together. Nothing in it knows how a task works or
 * what a batch holds.
 */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #committer: Committer;
  readonly #tasks = new Map<string, RunningTask>();
  #identity: GroupIdentity | undefined;
  #lastCommit: number;
  #stopping = false;
  #mustRebuild = false;
  #closedRecords = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#lastCommit = parts.clock.monotonic();
    this.#committer = new Committer({
      producer: parts.producer,
      outputs: parts.outputs,
      step: parts.step,
      ledgerTopic: parts.ledgerTopic,
      identity: () => {
        if (this.#identity === undefined) throw new FlowError('task.lost', 'this worker has no assignment');
        return this.#identity;
      },
    });
  }

  /** Records taken by tasks that are no longer here. */
  get closedRecords(): number {
    return this.#closedRecords;
  }

  get tasks(): ReadonlyMap<string, RunningTask> {
    return this.#tasks;
  }

  /** Adopts an assignment: gives up what is no longer its own (after a commit), opens what is new. */
  async assign(identity: GroupIdentity, tasks: readonly string[]): Promise<void> {
    await this.#committer.settled();
    this.#identity = identity;
    for (const id of [...this.#tasks.keys()]) if (!tasks.includes(id)) await this.#closeTask(id);
    for (const id of tasks) {
      if (this.#tasks.has(id) || this.#stopping || this.#parts.isEnded(id)) continue;
      await this.#open(id);
    }
  }

  /** Commits what is done so far; resolves when that holds. Called before tasks are given up. */
  async commitNow(): Promise<void> {
    await this.#committer.settled();
    this.#commit();
    await this.#committer.settled();
  }

  /** The loop; ends when stopped, rejects with what made it fail. */
  async run(): Promise<void> {
    try {
      while (!this.#stopping) await this.#turn();
      if (this.#failure === undefined) await this.commitNow();
    } catch (thrown) {
      this.#failure ??= thrown;
    }
    await this.#close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  stop(): void {
    this.#stopping = true;
    this.#parts.wake.notify();
  }

  async #turn(): Promise<void> {
    const { clock, wake, feed, settings } = this.#parts;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#mustRebuild) await this.#rebuild();
    feed.pump();
    const held = this.#committer.committing && this.#parts.outputs.sealedBytes > settings.heldBytes;
    const busy = held ? false : await this.#runTasks();
    this.#committer.flush();
    const due = this.#lastCommit + settings.commitIntervalMs - clock.monotonic();
    if ((due <= 0 || this.#mustCommit()) && !this.#committer.committing && this.#hasWork()) {
      this.#commit();
    }
    this.#writeBack();
    if (busy) await clock.turn();
    else await wake.wait(this.#hasWork() && due > 0 ? Math.ceil(due) : settings.commitIntervalMs);
  }

  /** Lets each task run a slice; answers whether any has more. */
  async #runTasks(): Promise<boolean> {
    let busy = false;
    const now = this.#parts.clock.now();
    for (const running of this.#tasks.values()) {
      const { task } = running;
      task.wallTime(now);
      const result = task.run(this.#parts.settings.sliceRecords);
      if (result === 'miss') {
        await task.fetchMissed();
        busy = true;
      } else {
        task.state.unpin();
        if (result === 'busy') busy = true;
      }
    }
    return busy;
  }

  #hasWork(): boolean {
    for (const { task } of this.#tasks.values()) if (task.worked) return true;
    return false;
  }

  /** A commit is worth more than its interval: a task has ended, or memory asks for it. */
  #mustCommit(): boolean {
    for (const { task } of this.#tasks.values())
      if (task.state.overBudget || (task.finished && task.worked)) return true;
    return this.#parts.outputs.sealedBytes > this.#parts.settings.heldBytes;
  }

  #commit(): void {
    const { clock, wake } = this.#parts;
    this.#lastCommit = clock.monotonic();
    const parts: EpochPart[] = [];
    const ended: string[] = [];
    for (const [id, running] of this.#tasks) {
      if (!running.task.worked) continue;
      parts.push(running.part());
      if (running.task.finished) ended.push(id);
      running.task.worked = false;
    }
    if (parts.length === 0) return;
    this.#committer.commit(parts);
    this.#committer.settled().then(
      () => {
        wake.notify();
        void this.#retire(ended);
      },
      (failure: unknown) => {
        if (isFlowError(failure) && failure.kind === 'transient') this.#mustRebuild = true;
        else this.#failure ??= failure;
        wake.notify();
      },
    );
  }

  /** The epoch has failed for a passing reason: every task goes back to its last commit. */
  async #rebuild(): Promise<void> {
    this.#mustRebuild = false;
    await this.#committer.abort();
    await this.#writing;
    this.#parts.outputs.clear();
    const ids = [...this.#tasks.keys()];
    for (const running of this.#tasks.values()) {
      this.#closedRecords += running.task.records;
      this.#parts.feed.remove(running);
      await running.discard();
    }
    this.#tasks.clear();
    for (const id of ids) await this.#open(id);
  }

  async #open(id: string): Promise<void> {
    const running = await this.#parts.open(id);
    this.#tasks.set(id, running);
    this.#parts.feed.add(running);
    this.#parts.wake.notify();
  }

  async #retire(ended: readonly string[]): Promise<void> {
    try {
      for (const id of ended) {
        await this.#closeTask(id);
      }
    } catch (thrown) {
      this.#failure ??= thrown;
    }
  }

  async #closeTask(id: string): Promise<void> {
    const running = this.#tasks.get(id);
    if (running === undefined) return;
    this.#tasks.delete(id);
    this.#closedRecords += running.task.records;
    this.#parts.feed.remove(running);
    await this.#writing;
    await running.close();
  }

  /** Starts the write-back of a task that is due, one at a time, beside the loop. */
  #writeBack(): void {
    if (this.#writing !== undefined) return;
    const { clock, settings, wake } = this.#parts;
    const now = clock.now();
    for (const { task } of this.#tasks.values()) {
      const { state } = task;
      const since = state.unwrittenSince;
      const due = since !== undefined && now - since >= settings.writeBackMs;
      if (!due && !state.overBudget && state.unwrittenBytes < settings.writeBackBytes) continue;
      if (since === undefined && !state.overBudget) continue;
      failpoint('store.writing');
      this.#writing = state
        .writeBack()
        .then(() => failpoint('store.written'))
        .catch((failure: unknown) => {
          this.#failure ??= failure;
        })
        .finally(() => {
          this.#writing = undefined;
          wake.notify();
        });
      return;
    }
  }

  async #close(): Promise<void> {
    await this.#committer.abort();
    await this.#writing;
    for (const running of this.#tasks.values()) {
      this.#closedRecords += running.task.records;
      await (this.#failure === undefined ? running.close() : running.discard());
    }
    this.#tasks.clear();
    await this.#parts.feed.close();
    await this.#parts.producer.close();
  }
}
