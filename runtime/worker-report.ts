import type { EpochFigures } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Millis, Position } from '../core/ids.ts';
import type { Budget } from '../state/state.ts';
import type { Counter, Histogram, Logger } from '../telemetry/telemetry.ts';
import type { MetricSet } from './metrics.ts';
import type { WorkerObserver } from './observer.ts';
import { type RestoreFigures, Restores, timeLeftMs } from './restores.ts';
import type { RunningTask } from './running-task.ts';
import { TaskMetrics } from './task-metrics.ts';
import type { TopicInput } from './topic-input.ts';

export interface WorkerReportOptions {
  readonly metrics: MetricSet;
  readonly log: Logger;
  readonly clock: Clock;
  readonly budget: Budget;
  isPaused(input: TopicInput): boolean;
}

const TELL_MS = 5000;

/** Metrics and log lines of one worker, and the time since its loop last turned. */
export class WorkerReport implements WorkerObserver {
  readonly #options: WorkerReportOptions;
  readonly #tasks: TaskMetrics;
  readonly #commits: Counter;
  readonly #durations: Histogram;
  readonly #records: Histogram;
  readonly #bytes: Histogram;
  readonly #pauses: Histogram;
  readonly #rebuilds: Counter;
  readonly #ends: (() => void)[];
  readonly restores: Restores;
  /** What is shown of restores that go on, by task and table. */
  readonly #restoring = new Map<string, Map<string, () => void>>();
  #toldAt = 0;
  #turned: number;
  #cut = 0;
  #open = 0;

  constructor(options: WorkerReportOptions) {
    const { metrics, clock, budget } = options;
    this.#options = options;
    this.#turned = clock.monotonic();
    this.#tasks = new TaskMetrics(metrics, options.isPaused);
    this.#commits = metrics.counter('nodeflow_commits_total');
    this.#durations = metrics.histogram('nodeflow_commit_duration_seconds');
    this.#records = metrics.histogram('nodeflow_commit_records');
    this.#bytes = metrics.histogram('nodeflow_commit_bytes');
    this.#pauses = metrics.histogram('nodeflow_assignment_pause_seconds');
    this.#rebuilds = metrics.counter('nodeflow_rebuilds_total');
    this.restores = new Restores(clock);
    this.#ends = [
      metrics.observe('nodeflow_restore_remaining_seconds', {}, () => secondsLeft(this.restores.figures())),
      metrics.observe('nodeflow_worker_tasks', {}, () => this.#open),
      metrics.observe('nodeflow_worker_silent_seconds', {}, () => this.silentMs / 1000),
      metrics.observe('nodeflow_state_used_bytes', {}, () => budget.usedBytes),
      metrics.observe('nodeflow_state_limit_bytes', {}, () => budget.maxBytes),
    ];
  }

  /** For a worker beside, that goes on or not by itself: nobody waits for its loop. */
  beside(): WorkerObserver {
    const { clock } = this.#options;
    let cut = 0;
    return {
      turned: () => undefined,
      paused: (ms) => this.paused(ms),
      unopened: (task, failure, restMs) => this.unopened(task, failure, restMs),
      opened: (running) => this.opened(running),
      closed: (running) => this.closed(running),
      cut: () => {
        cut = clock.monotonic();
      },
      committed: (epoch) => this.#committed(epoch, cut),
    };
  }

  /** Time since the loop last turned, or a restore in it went on. */
  get silentMs(): number {
    return this.#options.clock.monotonic() - this.#turned;
  }

  turned(): void {
    this.#turned = this.#options.clock.monotonic();
  }

  paused(ms: Millis): void {
    this.#pauses.observe(ms / 1000);
  }

  unopened(task: string, failure: unknown, restMs: Millis): void {
    this.#options.metrics.counter('nodeflow_task_open_failures_total', { task }).value++;
    this.#options.log.warn({ task }, `it cannot be opened, and is tried again in ${restMs} ms: ${messageOf(failure)}`);
  }

  opened(running: RunningTask): void {
    this.#open++;
    this.#tasks.opened(running);
    this.#options.log.info({ task: running.task.id }, 'task opened');
  }

  closed(running: RunningTask): void {
    const { id, finished, worked, records } = running.task;
    this.#open--;
    this.#tasks.closed(running);
    this.#options.log.info({ task: id, records }, finished && !worked ? 'task ended' : 'task closed');
  }

  cut(): void {
    this.#cut = this.#options.clock.monotonic();
  }

  committed(epoch: EpochFigures): void {
    this.#committed(epoch, this.#cut);
  }

  #committed({ records, bytes }: EpochFigures, cut: number): void {
    this.#commits.value++;
    this.#durations.observe((this.#options.clock.monotonic() - cut) / 1000);
    this.#records.observe(records);
    this.#bytes.observe(bytes);
  }

  rebuilding(reason: unknown): void {
    this.#rebuilds.value++;
    this.#options.log.warn({}, `going back to the last commit: ${messageOf(reason)}`);
  }

  restoring(task: string, store: string, position: Position, end: Position): void {
    this.turned();
    if (this.restores.figures() === undefined) this.#toldAt = this.#options.clock.monotonic();
    this.restores.restoring(task, store, position, end);
    const tables = this.#restoring.get(task) ?? new Map<string, () => void>();
    this.#restoring.set(task, tables);
    if (!tables.has(store)) {
      const name = 'nodeflow_restore_remaining_records';
      tables.set(
        store,
        this.#options.metrics.observe(name, { task, store }, () => this.restores.left(task, store)),
      );
    }
    this.#tellRestores();
  }

  /** A line every few seconds while restores go on. */
  #tellRestores(): void {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    const { tasks, done, left, perSecond } = this.restores.figures()!;
    const seconds = Math.ceil(secondsLeft({ tasks, done, left, perSecond }));
    log.info({ tasks, done, left, perSecond: Math.round(perSecond), secondsLeft: seconds }, 'restoring state');
  }

  /** The restore of a task is over, well or not. */
  restoreEnded(task: string): void {
    this.restores.ended(task);
    for (const end of this.#restoring.get(task)?.values() ?? []) end();
    this.#restoring.delete(task);
  }

  restored(task: string, records: number, ms: number): void {
    const { metrics, log } = this.#options;
    metrics.counter('nodeflow_restore_records_total', { task }).value += records;
    metrics.observe('nodeflow_restore_duration_seconds', { task }, () => ms / 1000);
    if (records > 0) log.info({ task, records, ms: Math.round(ms) }, 'state restored');
  }

  /** The worker has ended: what it counted stays, its gauges go. */
  close(): void {
    for (const end of this.#ends) end();
  }
}

function secondsLeft(figures: RestoreFigures | undefined): number {
  return figures === undefined ? 0 : (timeLeftMs(figures) ?? Number.NaN) / 1000;
}
