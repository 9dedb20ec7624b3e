import { KeptNumbers, Outputs as OutputBuffers, type Outputs, type Sealed } from '../checkpoints/checkpoints.ts';
import type { Source } from '../connectors/connectors.ts';
import { VirtualClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { type Millis, partitionName, type TaskId } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { type Fetched, partitionForKey } from '../log/log.ts';
import type { Serde } from '../schemas/schemas.ts';
import { createStateBackend, type StateBackend, type TaskState } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import type { FailurePolicy, Stage } from '../topology/plan.ts';
import type { Program, Topic } from '../topology/topology.ts';
import { type BuiltStage, buildStage } from './build.ts';
import { Drops } from './drops.ts';
import { deadLetterTopic, Failures } from './failures.ts';
import { MetricSet } from './metrics.ts';
import { tableSpecs } from './open-state.ts';
import { SkipLog } from './skip-log.ts';
import { SplitInput } from './split-input.ts';
import { PlanIndex } from './stage.ts';
import { createScanRequests, Task } from './task.ts';
import { type DriverRecord, decodeBatch, encodeRecord, type Headers } from './testing-records.ts';
import { Timers } from './timers.ts';
import { TopicInput } from './topic-input.ts';

/**
 * Runs a topology in a test: one process, a virtual clock, no log and no disk, every partition. What is sent is
 * processed to the end, through repartition topics too, before `send` returns.
 *
 *     const driver = await TopologyDriver.open(app);
 *     driver.input(orders).send('k1', { status: 'paid' }, { timestamp: 1000 });
 *     assert.deepEqual(driver.output(counts).read(), [{ key: 'k1', value: 1, timestamp: 1000, ... }]);
 */
export interface DriverOptions {
  /** Where the wall clock begins. Default 0. */
  readonly startMs?: Millis;
  readonly onFailure?: FailurePolicy;
  /** Bytes at which output is packed into a batch; small values try more boundaries. */
  readonly batchBytes?: number;
}

export interface DriverInput<K, V> {
  /** Sends one record; without a timestamp it carries the wall clock's time. */
  send(key: K | null, value: V | null, options?: { timestamp?: Millis; partition?: number; headers?: Headers }): void;
}

export interface DriverOutput<K, V> {
  /** Records since the last read, in order of partition, then of arrival. */
  read(): readonly DriverRecord<K, V>[];
}

interface StageTask {
  readonly task: Task;
  readonly topics: readonly TopicInput[];
  readonly split: { readonly input: SplitInput; readonly stage: Stage; readonly partition: number } | undefined;
}

export type { DriverRecord, Headers };

/** Bytes no topic of a test refuses. */
const ANY_SIZE = Number.MAX_SAFE_INTEGER;

export class TopologyDriver {
  readonly clock: VirtualClock;
  readonly #program: Program;
  readonly #index: PlanIndex;
  readonly #step = new Step();
  readonly #outputs: Outputs;
  readonly #telemetry = silentTelemetry();
  readonly #backend: StateBackend;
  readonly #tasks: StageTask[] = [];
  readonly #written = new Map<string, Sealed[]>();
  readonly #positions = new Map<string, number>();
  readonly #options: DriverOptions;

  private constructor(program: Program, options: DriverOptions) {
    this.#program = program;
    this.#options = options;
    this.#index = new PlanIndex(program.plan);
    this.clock = new VirtualClock(options.startMs ?? 0);
    this.#outputs = new OutputBuffers(this.#step, options.batchBytes ?? 64 * 1024);
    this.#backend = createStateBackend({});
  }

  /** Opens a topology, or the program that its `build()` answered. */
  static async open(topology: { build(): Program } | Program, options: DriverOptions = {}): Promise<TopologyDriver> {
    const program = 'build' in topology ? topology.build() : topology;
    const driver = new TopologyDriver(program, options);
    for (const stage of program.plan.stages) await driver.#openStage(stage);
    return driver;
  }

  input<K, V>(topic: Topic<K, V, number>): DriverInput<K, V> {
    if (!this.#index.topics.has(topic.name)) throw unknownTopic(topic.name);
    const serdes = { key: topic.keySerde as Serde<unknown>, value: topic.valueSerde as Serde<unknown> };
    return {
      send: (key, value, { timestamp = this.clock.now(), partition, headers = {} } = {}) => {
        const encoded = encodeRecord(serdes, { key, value, timestamp, headers });
        const byKey =
          encoded.key === undefined ? 0 : partitionForKey(encoded.key, 0, encoded.key.length, topic.partitions);
        this.#deliver({ topic: topic.name, partition: partition ?? byKey, bytes: encoded.batch, records: 1 });
        this.#settle();
      },
    };
  }

  output<K, V>(topic: Topic<K, V, number>): DriverOutput<K, V> {
    if (!this.#index.topics.has(topic.name)) throw unknownTopic(topic.name);
    return { read: () => this.#read(topic.name, topic.keySerde, topic.valueSerde) };
  }

  /** Records that went to the dead-letter topic since the last read, as raw bytes with their headers. */
  deadLetters(): readonly DriverRecord<Buffer | null, Buffer | null>[] {
    return this.#read<Buffer | null, Buffer | null>(deadLetterTopic(this.#program.plan.name));
  }

  /** How many records were dropped so far, by `node reason`. */
  dropped(): { readonly [nodeAndReason: string]: number } {
    const counts: { [name: string]: number } = {};
    for (const row of this.#telemetry.snapshot()) {
      if (row.name !== 'nodeflow_dropped_records_total' || row.values[0] === 0) continue;
      const name = `${row.labels['node']} ${row.labels['reason']}`;
      counts[name] = (counts[name] ?? 0) + row.values[0]!;
    }
    return counts;
  }

  /** Moves the wall clock; timers that wait for it fire. */
  advance(ms: Millis): void {
    this.clock.advance(ms);
    for (const { task } of this.#tasks) task.wallTime(this.clock.now());
    this.#settle();
  }

  /** Reads every connector to its end, then ends all inputs: windows close, final results come out. */
  async end(): Promise<void> {
    for (const each of this.#tasks) if (each.split !== undefined) await this.#readSplit(each.split);
    this.#settle();
    for (const { topics } of this.#tasks) {
      for (const input of topics) {
        if (this.#index.writers(input.topic).length === 0) input.setEnd(input.position);
      }
    }
    for (let rounds = 0; rounds <= this.#program.plan.stages.length; rounds++) {
      this.#settle();
      for (const { topics } of this.#tasks) {
        for (const input of topics) if (this.#isEnded(input.topic)) input.setEnd(input.position);
      }
    }
    this.#settle();
  }

  #isEnded(topic: string): boolean {
    const writers = this.#index.writers(topic).map((stage) => stage.id);
    return this.#tasks.every(({ task }) => task.finished || !writers.some((id) => task.id.startsWith(`${id}_`)));
  }

  async #readSplit(split: NonNullable<StageTask['split']>): Promise<void> {
    const connector = this.#index.connector(split.stage)!;
    const source = this.#program.code.fn(connector.source) as Source<unknown>;
    const splits = await source.splits();
    const reader = await source.open(splits[split.partition]!, 0);
    for (;;) {
      const batch = await reader.next(1000);
      split.input.offer(batch);
      this.#settle();
      if (batch === undefined) break;
    }
    await reader.close();
  }

  /** Runs every task until nothing is left, feeding outputs back to the stages that read them. */
  #settle(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const { task } of this.#tasks) {
        while (task.run(1000) === 'busy');
        if (task.worked) busy = true;
        task.worked = false;
      }
      this.#outputs.seal(true);
      for (const sealed of this.#outputs.take()) {
        busy = true;
        const list = this.#written.get(sealed.topic) ?? [];
        list.push(sealed);
        this.#written.set(sealed.topic, list);
        this.#deliver(sealed);
      }
    }
  }

  #deliver(sealed: Sealed): void {
    const name = partitionName(sealed.topic, sealed.partition);
    const position = this.#positions.get(name) ?? 0;
    const next = position + sealed.records;
    this.#positions.set(name, next);
    const bytes = Buffer.from(sealed.bytes);
    bytes.writeBigInt64BE(BigInt(position), 0);
    const fetched: Fetched = {
      topic: sealed.topic,
      partition: sealed.partition,
      bytes,
      starts: [0],
      ends: [bytes.length],
      position,
      next,
      end: next,
      release: () => undefined,
    };
    for (const { topics } of this.#tasks) {
      for (const input of topics) {
        if (input.topic === sealed.topic && input.partition === sealed.partition) input.offer(fetched);
      }
    }
  }

  #read<K, V>(topic: string, key?: Serde<K>, value?: Serde<V>): readonly DriverRecord<K, V>[] {
    const list = this.#written.get(topic) ?? [];
    this.#written.delete(topic);
    const serdes = key === undefined || value === undefined ? undefined : { key, value };
    return list.flatMap(({ bytes, partition }) => decodeBatch(bytes, { topic, partition }, serdes));
  }

  async #openStage(stage: Stage): Promise<void> {
    const connector = this.#index.connector(stage);
    const source = connector === undefined ? undefined : (this.#program.code.fn(connector.source) as Source<unknown>);
    const partitions = source === undefined ? stage.partitions : (await source.splits()).length;
    for (let partition = 0; partition < partitions; partition++) await this.#openTask(stage, partition);
  }

  async #openTask(stage: Stage, partition: number): Promise<void> {
    const program = this.#program;
    const index = this.#index;
    const step = this.#step;
    const id = `${stage.id}_${partition}`;
    const state: TaskState = await this.#backend.open({
      task: id as TaskId,
      directory: undefined,
      step,
      clock: this.clock,
      budget: { maxBytes: ANY_SIZE, usedBytes: 0 },
      tables: tableSpecs(program, index, stage),
      onQuarantine: () => undefined,
    });
    const numbers = await KeptNumbers.load(state, step);
    const drops = new Drops(new MetricSet(this.#telemetry, { application: program.plan.name, task: id }), step);
    const scans = createScanRequests(step);
    const streamTime = numbers.number('stream-time', -1);
    const timers = new Timers(streamTime);
    const outputs = this.#outputs;
    const built = buildStage({
      ...{ program, index, stage, partition, step, state, numbers, outputs, drops, scans, timers },
      maxRecordBytes: () => ANY_SIZE,
      now: () => this.clock.now(),
    });
    const { topics, split } = this.#inputsOf(stage, partition, built);
    const task = new Task({
      ...{ id, step, state, scans, streamTime, timers, outputs },
      inputs: split === undefined ? topics : [split.input],
      operators: built.operators,
      counts: built.counts.values,
      flush: () => outputs.seal(false),
      failures: new Failures({
        ...{ application: program.plan.name, task: id, step, outputs, drops },
        skips: new SkipLog(this.#telemetry.log, this.clock),
        onFailure: this.#options.onFailure ?? 'fail',
        onUndecodable: (node) => built.onUndecodable(node),
        failingNode: (input) => built.failingNode(input),
      }),
    });
    this.#tasks.push({ task, topics, split });
  }

  #inputsOf(stage: Stage, partition: number, built: BuiltStage): Omit<StageTask, 'task'> {
    const { code } = this.#program;
    const topics = built.topics
      .filter(({ topic }) => partition < this.#index.topics.get(topic)!.partitions)
      .map(({ topic, node, push, screen, time, alone }) => {
        const names = this.#index.topics.get(topic)!;
        const key = code.serde(names.key);
        const value = code.serde(names.value);
        return new TopicInput({
          ...{ topic, partition, node, push, screen, time, alone, position: 0, pass: undefined },
          ...{ key, value, keyView: key.view(), valueView: value.view() },
        });
      });
    const connector = this.#index.connector(stage);
    if (connector === undefined) return { topics, split: undefined };
    const input = new SplitInput({
      node: connector.id,
      split: partition,
      position: 0,
      records: undefined,
      keyOf: code.fn(connector.keyOf) as (value: unknown) => unknown,
      time: code.fn(connector.time) as (value: unknown, key: unknown) => Millis,
      push: built.read!,
    });
    return { topics, split: { input, stage, partition } };
  }
}

function unknownTopic(name: string): FlowError {
  return new FlowError('topic.missing', `topic ${name} is not part of this topology; use one that it reads or writes`);
}
