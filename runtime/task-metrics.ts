import { PROGRESS } from '../checkpoints/checkpoints.ts';
import type { Labels } from '../telemetry/telemetry.ts';
import type { MetricName } from './metric-table.ts';
import type { MetricSet } from './metrics.ts';
import type { RunningTask } from './running-task.ts';
import type { TopicInput } from './topic-input.ts';

/** A counter read from a task while it is open; what a closed one has counted stays. */
class Lasting {
  #before = 0;
  #read: (() => number) | undefined;

  get value(): number {
    return this.#before + (this.#read?.() ?? 0);
  }

  follow(read: () => number): void {
    this.#read = read;
  }

  freeze(): void {
    this.#before = this.value;
    this.#read = undefined;
  }
}

/** The figures of the open tasks of one worker. They are kept anyway and read when somebody asks. */
export class TaskMetrics {
  readonly #metrics: MetricSet;
  readonly #isPaused: (input: TopicInput) => boolean;
  readonly #lasting = new Map<string, Lasting>();
  readonly #open = new Map<RunningTask, (() => void)[]>();

  constructor(metrics: MetricSet, isPaused: (input: TopicInput) => boolean) {
    this.#metrics = metrics;
    this.#isPaused = isPaused;
  }

  opened(running: RunningTask): void {
    const ends: (() => void)[] = [];
    this.#open.set(running, ends);
    const { id } = running.task;
    const count = (name: MetricName, labels: Labels, read: () => number) =>
      ends.push(this.#count(name, { task: id, ...labels }, read));
    const show = (name: MetricName, labels: Labels, read: () => number) =>
      ends.push(this.#metrics.observe(name, { task: id, ...labels }, read));
    observeTask(running, count, show);
    for (const input of running.topics) {
      show('nodeflow_intake_paused', { topic: input.topic }, () => (this.#isPaused(input) ? 1 : 0));
    }
  }

  closed(running: RunningTask): void {
    for (const end of this.#open.get(running) ?? []) end();
    this.#open.delete(running);
  }

  #count(name: MetricName, labels: Labels, read: () => number): () => void {
    const key = JSON.stringify([name, labels]);
    let lasting = this.#lasting.get(key);
    if (lasting === undefined) {
      const made = new Lasting();
      lasting = made;
      this.#lasting.set(key, made);
      this.#metrics.observe(name, labels, () => made.value);
    }
    const followed = lasting;
    followed.follow(read);
    return () => followed.freeze();
  }
}

type Show = (name: MetricName, labels: Labels, read: () => number) => void;

function observeTask(running: RunningTask, count: Show, show: Show): void {
  const { task } = running;
  count('nodeflow_task_records_total', {}, () => task.records);
  show('nodeflow_task_stream_time_seconds', {}, () => (task.streamTime < 0 ? Number.NaN : task.streamTime / 1000));
  for (const { node, read, inputs } of running.nodes) {
    count('nodeflow_node_records_total', { node }, read);
    for (const input of inputs.length < 2 ? [] : inputs)
      count('nodeflow_input_records_total', { node, input: input.from }, input.read);
  }
  for (const input of task.inputs) {
    show('nodeflow_task_lag_records', { topic: input.topic }, () => input.lag);
  }
  for (const input of running.topics) {
    show('nodeflow_intake_bytes', { topic: input.topic }, () => input.queuedBytes);
    show('nodeflow_intake_records', { topic: input.topic }, () => input.queuedRecords);
  }
  observeState(running, count, show);
}

function observeState({ task: { state } }: RunningTask, count: Show, show: Show): void {
  show('nodeflow_state_bytes', {}, () => state.figures.hotBytes);
  show('nodeflow_state_unwritten_bytes', {}, () => state.unwrittenBytes);
  count('nodeflow_state_written_rows_total', {}, () => state.figures.writtenRows);
  state.figures.tables.forEach(({ name }, i) => {
    if (name === PROGRESS) return;
    const table = () => state.figures.tables[i]!;
    show('nodeflow_store_hot_rows', { store: name }, () => table().hotRows);
    show('nodeflow_store_hot_bytes', { store: name }, () => table().hotBytes);
    count('nodeflow_store_cold_reads_total', { store: name }, () => table().coldReads);
    count('nodeflow_store_evictions_total', { store: name }, () => table().evictions);
  });
}
