import { isFlowError, messageOf } from '../core/errors.ts';
import type { GroupIdentity } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import type { MetricSet } from './metrics.ts';
import type { StoreRequest } from './read-store.ts';
import type { RunningTask } from './running-task.ts';
import type { Worker } from './worker.ts';

export interface QuarantineParts {
  /** The worker of the tasks that share epochs. */
  readonly data: Worker;
  readonly log: Logger;
  readonly metrics: MetricSet;
  /** Opens a worker beside it, in which each task has epochs of its own, by another producer. */
  open(): Promise<Worker>;
}

/**
 * The workers of a thread: one whose tasks share epochs and, while there are such, one of the tasks that were set apart
 * since they made epochs fail again and again. Those go on failing, or committing, each by itself, and come back when
 * that has gone well for a while.
 */
export class Quarantine {
  /** Ends when both have. */
  readonly finished: Promise<void>;
  readonly #parts: QuarantineParts;
  /** The tasks that were set apart, and what is shown of each. Until it is closed there, none is the data worker's. */
  readonly #apart = new Map<string, () => void>();
  #alone: { readonly worker: Worker; readonly over: Promise<void> } | undefined;
  #moves: Promise<void> = Promise.resolve();
  #identity: GroupIdentity | undefined;
  #owned: readonly string[] = [];
  #formerRecords = 0;
  #stopped = false;
  #failure: unknown;

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
    this.finished = this.#run();
  }

  get tasks(): readonly string[] {
    return [...this.#apart.keys()];
  }

  get running(): readonly RunningTask[] {
    return this.#workers.flatMap((worker) => [...worker.tasks.values()]);
  }

  /** Records taken by tasks that are no longer here. */
  get closedRecords(): number {
    return this.#workers.reduce((sum, { closedRecords }) => sum + closedRecords, this.#formerRecords);
  }

  get ready(): boolean {
    return this.#workers.every(({ ready }) => ready);
  }

  renew(identity: GroupIdentity, tasks: readonly string[]): void {
    this.#identity = identity;
    this.#owned = this.#owned.filter((task) => tasks.includes(task));
    for (const worker of this.#workers) worker.renew(identity, tasks);
  }

  async assign(identity: GroupIdentity, tasks: readonly string[]): Promise<void> {
    this.#identity = identity;
    this.#owned = tasks;
    await Promise.all([this.#share(), this.#apart.size > 0 ? this.#inTurn(() => this.#settle()) : undefined]);
  }

  async revoke(tasks: readonly string[]): Promise<void> {
    this.#owned = this.#owned.filter((task) => !tasks.includes(task));
    const alone = async () => {
      await this.#alone?.worker.revoke(tasks);
      await this.#settle();
    };
    await Promise.all([this.#parts.data.revoke(tasks), this.#apart.size > 0 ? this.#inTurn(alone) : undefined]);
  }

  async query(request: StoreRequest): Promise<readonly FoundRow[]> {
    const { data } = this.#parts;
    const alone = this.#alone?.worker;
    const apart = request.tasks.filter((task) => this.#apart.has(task));
    if (alone === undefined || apart.length === 0) return data.query(request);
    const asked = [alone.query({ ...request, tasks: apart })];
    const shared = request.tasks.filter((task) => !apart.includes(task));
    if (shared.length > 0) asked.push(data.query({ ...request, tasks: shared }));
    return (await Promise.all(asked)).flat();
  }

  /** The data worker has nothing of the task any more. */
  setApart(task: string, reason: unknown): void {
    const { log, metrics } = this.#parts;
    metrics.counter('nodeflow_quarantines_total', { task }).value++;
    const show = metrics.observe('nodeflow_task_quarantined', { task }, () => 1);
    this.#apart.set(task, show);
    log.warn({ task }, `it fails again and again, and commits alone from now on: ${messageOf(reason)}`);
    void this.#inTurn(() => this.#settle()).catch(() => undefined);
  }

  wentWell(task: string): void {
    const back = async () => {
      if (!this.#owned.includes(task) || this.#alone === undefined) return;
      await this.#alone.worker.revoke([task]);
      this.#release([task]);
      this.#parts.log.info({ task }, 'it has gone well for a while, and commits with the others again');
      await this.#share();
      await this.#settle();
    };
    void this.#inTurn(back).catch(() => undefined);
  }

  stop(): void {
    this.#stopped = true;
    for (const worker of this.#workers) worker.stop();
  }

  get #workers(): readonly Worker[] {
    const { data } = this.#parts;
    return this.#alone === undefined ? [data] : [data, this.#alone.worker];
  }

  /** Gives the data worker what is its own by now. */
  #share(): Promise<void> {
    const shared = this.#owned.filter((task) => !this.#apart.has(task));
    return this.#parts.data.assign(this.#identity!, shared);
  }

  /** Gives the other one what is its own by now; one that has nothing is closed. */
  async #settle(): Promise<void> {
    const mine = this.#owned.filter((task) => this.#apart.has(task));
    if (mine.length > 0) await this.#open();
    await this.#alone?.worker.assign(this.#identity!, mine);
    const given = this.#alone === undefined ? [] : mine;
    const gone = this.tasks.filter((task) => !given.includes(task));
    this.#release(gone);
    if (this.#apart.size === 0) await this.#close();
    // it may have come back meanwhile
    if (gone.some((task) => this.#owned.includes(task))) await this.#share();
  }

  /** Where there is no way to set tasks apart, they go on among the others. */
  async #open(): Promise<void> {
    if (this.#alone !== undefined || this.#stopped) return;
    try {
      const worker = await this.#parts.open();
      this.#alone = { worker, over: worker.run().catch((failure: unknown) => this.#fail(failure)) };
      if (this.#stopped) worker.stop();
    } catch (thrown) {
      if (!isFlowError(thrown)) throw thrown;
      this.#parts.log.warn({}, `no task can commit alone: ${thrown.message}`);
    }
  }

  async #close(): Promise<void> {
    if (this.#alone === undefined) return;
    const { worker, over } = this.#alone;
    worker.stop();
    await over;
    this.#formerRecords += worker.closedRecords;
    this.#alone = undefined;
  }

  #release(tasks: readonly string[]): void {
    for (const task of tasks) {
      this.#apart.get(task)?.();
      this.#apart.delete(task);
    }
  }

  async #run(): Promise<void> {
    try {
      await this.#parts.data.run();
    } finally {
      this.stop();
      await this.#moves;
      await this.#close();
      this.#release(this.tasks);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** One has failed for good: what the other has done is committed, and it ends too. */
  #fail(failure: unknown): void {
    this.#failure ??= failure;
    this.#parts.data.stop();
  }

  /** One move after the other. */
  #inTurn(move: () => Promise<void>): Promise<void> {
    const moved = this.#moves.then(move);
    this.#moves = moved.catch((failure: unknown) => this.#fail(failure));
    return moved;
  }
}
