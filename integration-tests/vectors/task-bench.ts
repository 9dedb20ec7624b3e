import { KeptNumbers } from '../../checkpoints/checkpoints.ts';
import { PROGRESS } from '../../checkpoints/progress.ts';
import { VirtualClock } from '../../core/clock.ts';
import type { TaskId } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import type { Rec } from '../../operators/operators.ts';
import { openCalls } from '../../runtime/calls.ts';
import type { Failures } from '../../runtime/failures.ts';
import { Mailboxes } from '../../runtime/mailboxes.ts';
import { ScanRequests } from '../../runtime/scan-requests.ts';
import { Task } from '../../runtime/task.ts';
import { DriverStores } from '../../runtime/testing-state.ts';
import { Timers } from '../../runtime/timers.ts';
import { TopicInput } from '../../runtime/topic-input.ts';
import { string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';

export interface Taken {
  readonly from: string;
  readonly ts: number;
  readonly streamTime: number;
  readonly lateness: number;
}

const NO_CALLS = openCalls({
  ...{ clock: new VirtualClock(), step: new Step(), telemetry: silentTelemetry(), application: 'bench', task: 'bench' },
  notify: () => undefined,
});

interface Partition {
  readonly name: string;
  /** Where it ends, as far as it is known. */
  end: number | undefined;
  sent: number;
  readonly waiting: (readonly number[])[];
  input: TopicInput | undefined;
}

/**
 * A task of the engine alone, with its inputs and its clock, and no operators: which record it takes next, and whether
 * it waits. As in a run, it is opened when the ends of all its inputs are known, and then knows which of them lag.
 */
export class TaskBench {
  readonly #partitions: readonly Partition[];
  readonly #stores = new DriverStores();
  readonly #step = new Step();
  #opened: { readonly task: Task; readonly numbers: KeptNumbers } | undefined;
  #taken: Taken | undefined;

  constructor(names: readonly string[]) {
    this.#partitions = names.map((name) => ({ name, end: undefined, sent: 0, waiting: [], input: undefined }));
  }

  /** Records that were fetched, by their times, and how many are known to follow, by partition. */
  take(add: { readonly [name: string]: readonly number[] }, lag: { readonly [name: string]: number }): void {
    for (const partition of this.#partitions) {
      const { name } = partition;
      const times = add[name];
      if (times !== undefined) {
        partition.end = Math.max(partition.end ?? 0, partition.sent + times.length);
        partition.waiting.push(times);
        if (this.#opened !== undefined) this.#offer(partition);
      }
      const behind = lag[name];
      if (behind !== undefined) partition.end = Math.max(partition.end ?? 0, partition.sent + behind);
    }
  }

  /** Some partition without a record at hand has more. */
  get lags(): boolean {
    return this.#partitions.some(({ end, sent, waiting }) => waiting.length === 0 && (end ?? 1) > sent);
  }

  /** Whether the task would take a record now; it takes none. */
  async ready(): Promise<boolean> {
    await this.#open();
    if (this.#opened === undefined) return false;
    const inputs = this.#partitions.map(({ input }) => input!);
    return inputs.some((input) => input.fill()) && inputs.every((input) => input.fill() || !input.awaited);
  }

  async poll(): Promise<Taken | undefined> {
    await this.#open();
    this.#taken = undefined;
    this.#opened?.task.run(1);
    return this.#taken;
  }

  async streamTime(): Promise<number> {
    for (const partition of this.#partitions) partition.end ??= 0;
    await this.#open();
    return this.#opened!.task.streamTime;
  }

  /** Commits with each partition having come to this time, and starts anew. */
  async commitAt(times: { readonly [name: string]: number }): Promise<void> {
    this.take(Object.fromEntries(Object.entries(times).map(([name, time]) => [name, [time]])), {});
    while ((await this.poll()) !== undefined);
    const { task, numbers } = this.#opened!;
    this.#stores.commit(task.id, task.state, numbers, task.inputs);
    this.#opened = undefined;
    for (const partition of this.#partitions) partition.end = undefined;
  }

  async #open(): Promise<void> {
    if (this.#opened !== undefined || this.#partitions.some(({ end }) => end === undefined)) return;
    const id = 'bench_0';
    const step = this.#step;
    const state = await this.#stores.open(createStateBackend({}), {
      task: id as TaskId,
      directory: undefined,
      step,
      clock: new VirtualClock(0),
      budget: { maxBytes: Number.MAX_SAFE_INTEGER, usedBytes: 0 },
      tables: [{ name: PROGRESS, windowed: false, ordered: false }],
      onQuarantine: () => undefined,
    });
    const numbers = await KeptNumbers.load(state, step);
    const streamTime = numbers.number('stream-time', -1);
    for (const partition of this.#partitions) {
      const { name, end } = partition;
      partition.input = new TopicInput({
        ...{ topic: name, partition: 0, node: name, screen: undefined, time: undefined, alone: false },
        ...{ key: string(), value: string(), keyView: string().view(), valueView: string().view() },
        ...{ position: this.#stores.position(id, name, 0), known: end, pass: undefined },
        push: (record: Rec) => this.#note(name, record.timestamp, streamTime.value),
      } as ConstructorParameters<typeof TopicInput>[0]);
      this.#offer(partition);
    }
    const task = new Task({
      ...{ id, step, state, streamTime, operators: [], starts: [], counts: new Float64Array(0) },
      inputs: this.#partitions.map(({ input }) => input!),
      scans: new ScanRequests(step),
      timers: new Timers(streamTime),
      outputs: { full: false },
      flush: () => undefined,
      calls: NO_CALLS,
      mailboxes: new Mailboxes(step, () => undefined),
      failures: NO_FAILURES,
    });
    this.#opened = { task, numbers };
  }

  #note(from: string, ts: number, streamTime: number): void {
    this.#taken = { from, ts, streamTime, lateness: streamTime - ts };
  }

  /** What waits, as a fetch that reaches to the known end. */
  #offer(partition: Partition): void {
    for (const times of partition.waiting.splice(0)) {
      const builder = new BatchBuilder(new Step());
      for (const time of times) builder.append(time, EMPTY, 0, 0, EMPTY, 0, 0);
      const bytes = Buffer.from(builder.finish());
      const next = Math.max(partition.end ?? 0, partition.sent + times.length);
      bytes.writeBigInt64BE(BigInt(next - times.length), 0);
      partition.input!.offer({
        ...{ topic: partition.name, partition: 0, bytes, starts: [0], ends: [bytes.length] },
        ...{ position: partition.sent, next, end: next, release: () => undefined },
      });
      partition.sent = next;
    }
  }
}

const EMPTY = Buffer.alloc(0);
const NO_FAILURES = {
  handle(thrown: unknown): never {
    throw thrown;
  },
} as unknown as Failures;
