import type { EpochFigures } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Budget } from '../state/state.ts';
import type { Counter, Histogram, Logger } from '../telemetry/telemetry.ts';
import type { MetricSet } from './metrics.ts';
import type { WorkerObserver } from './observer.ts';
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

interface Restoring {
  left: number;
  end: () => void;
}

/** Metrics and log lines of one worker, and the time since its loop last turned. */
export class WorkerReport implements WorkerObserver {
  readonly #options: WorkerReportOptions;
  readonly #tasks: TaskMetrics;
  readonly #commits: Counter;
  readonly #durations: Histogram;
  readonly #records: Histogram;
  readonly #bytes: Histogram;
  readonly #rebuilds: Counter;
  readonly #ends: (() => void)[];
  /** What is shown of restores that go on, by task and table. */
  readonly #restoring = new Map<string, Map<string, Restoring>>();
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
    this.#rebuilds = metrics.counter('nodeflow_rebuilds_total');
    this.#ends = [
      metrics.observe('nodeflow_worker_tasks', {}, () => this.#open),
      metrics.observe('nodeflow_worker_silent_seconds', {}, () => this.silentMs / 1000),
      metrics.observe('nodeflow_state_used_bytes', {}, () => budget.usedBytes),
      metrics.observe('nodeflow_state_limit_bytes', {}, () => budget.maxBytes),
    ];
  }

  /** Time since the loop last turned, or a restore in it went on. */
  get silentMs(): number {
    return this.#options.clock.monotonic() - this.#turned;
  }

  turned(): void {
    this.#turned = this.#options.clock.monotonic();
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

  committed({ records, bytes }: EpochFigures): void {
    this.#commits.value++;
    this.#durations.observe((this.#options.clock.monotonic() - this.#cut) / 1000);
    this.#records.observe(records);
    this.#bytes.observe(bytes);
  }

  rebuilding(reason: unknown): void {
    this.#rebuilds.value++;
    this.#options.log.warn({}, `going back to the last commit: ${messageOf(reason)}`);
  }

  restoring(task: string, store: string, left: number): void {
    this.turned();
    const tables = this.#restoring.get(task) ?? new Map();
    this.#restoring.set(task, tables);
    const known = tables.get(store);
    if (known !== undefined) known.left = left;
    else {
      const shown: Restoring = { left, end: () => undefined };
      const name = 'nodeflow_restore_remaining_records';
      shown.end = this.#options.metrics.observe(name, { task, store }, () => shown.left);
      tables.set(store, shown);
    }
  }

  restored(task: string, records: number, ms: number): void {
    const { metrics, log } = this.#options;
    for (const { end } of this.#restoring.get(task)?.values() ?? []) end();
    this.#restoring.delete(task);
    metrics.counter('nodeflow_restore_records_total', { task }).value += records;
    metrics.observe('nodeflow_restore_duration_seconds', { task }, () => ms / 1000);
    if (records > 0) log.info({ task, records, ms: Math.round(ms) }, 'state restored');
  }

  /** The worker has ended: what it counted stays, its gauges go. */
  close(): void {
    for (const end of this.#ends) end();
  }
}
