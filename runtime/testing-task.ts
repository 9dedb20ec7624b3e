import { KeptNumbers, type Outputs } from '../checkpoints/checkpoints.ts';
import type { Source } from '../connectors/connectors.ts';
import type { Clock } from '../core/clock.ts';
import type { Millis, TaskId } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { StateBackend, TaskState } from '../state/state.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { FailurePolicy, Stage } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import { type BuiltStage, buildStage } from './build.ts';
import { Drops } from './drops.ts';
import { Failures } from './failures.ts';
import type { Input } from './inputs.ts';
import { MetricSet } from './metrics.ts';
import { tableSpecs } from './open-state.ts';
import { ScanRequests } from './scan-requests.ts';
import { SkipLog } from './skip-log.ts';
import { SplitInput, splitTopic } from './split-input.ts';
import type { PlanIndex } from './stage.ts';
import { Task } from './task.ts';
import type { DriverStores } from './testing-state.ts';
import { Timers } from './timers.ts';
import { TopicInput } from './topic-input.ts';

/** Bytes that no topic and no bound of a test refuses. */
const ANY_SIZE = Number.MAX_SAFE_INTEGER;

/** What all tasks of a test share. */
export interface DriverParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly step: Step;
  readonly outputs: Outputs;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly backend: StateBackend;
  readonly stores: DriverStores;
  readonly onFailure: FailurePolicy;
}

/** An input of a task, and the task that is to take from it. */
export interface DriverFeed {
  readonly input: Input;
  readonly task: DriverTask;
}

export interface TopicFeed extends DriverFeed {
  readonly input: TopicInput;
}

/** One task of a test. */
export class DriverTask {
  readonly id: string;
  readonly stage: Stage;
  readonly partition: number;
  readonly task: Task;
  readonly state: TaskState;
  readonly topics: readonly TopicInput[];
  readonly split: SplitInput | undefined;
  readonly #inputs: Input[];
  readonly #numbers: KeptNumbers;
  readonly #see: (at: Millis) => void;

  private constructor(
    parts: DriverParts,
    opened: { stage: Stage; partition: number; state: TaskState; numbers: KeptNumbers },
  ) {
    const { program, index, step, outputs, clock, telemetry } = parts;
    const { stage, partition, state, numbers } = opened;
    this.id = taskId(stage, partition);
    this.stage = stage;
    this.partition = partition;
    this.state = state;
    this.#numbers = numbers;
    const drops = new Drops(new MetricSet(telemetry, { application: program.plan.name, task: this.id }), step);
    const scans = new ScanRequests(step);
    const streamTime = numbers.number('stream-time', -1);
    const timers = new Timers(streamTime);
    const built = buildStage({
      ...{ program, index, stage, partition, step, state, numbers, outputs, drops, scans, timers },
      maxRecordBytes: () => ANY_SIZE,
      now: () => clock.now(),
    });
    this.topics = topicInputs(parts, this, built);
    this.split = splitInput(parts, this, built);
    this.#inputs = this.split === undefined ? [...this.topics] : [this.split];
    this.#see = (at) => {
      if (at <= streamTime.value) return;
      step.begin();
      streamTime.set(at);
      step.settle();
      if (timers.due(at)) scans.pending.push(timers);
    };
    this.task = new Task({
      ...{ id: this.id, step, state, scans, streamTime, timers, outputs },
      inputs: this.#inputs,
      operators: built.operators,
      counts: built.counts.values,
      flush: () => outputs.seal(false),
      failures: new Failures({
        ...{ application: program.plan.name, task: this.id, step, outputs, drops },
        skips: new SkipLog(telemetry.log, clock),
        onFailure: parts.onFailure,
        onUndecodable: (node) => built.onUndecodable(node),
        failingNode: (input) => built.failingNode(input),
      }),
    });
  }

  /** Opens a task as it was last committed. */
  static async open(parts: DriverParts, stage: Stage, partition: number): Promise<DriverTask> {
    const { program, index, step, clock } = parts;
    const state = await parts.stores.open(parts.backend, {
      task: taskId(stage, partition) as TaskId,
      directory: undefined,
      step,
      clock,
      budget: { maxBytes: ANY_SIZE, usedBytes: 0 },
      tables: tableSpecs(program, index, stage),
      onQuarantine: () => undefined,
    });
    const numbers = await KeptNumbers.load(state, step);
    return new DriverTask(parts, { stage, partition, state, numbers });
  }

  get inputs(): readonly Input[] {
    return this.#inputs;
  }

  /** Takes one record, from this input where others have one of the same time; then what scans are pending. */
  takeFrom(input: Input): void {
    const inputs = this.#inputs;
    inputs.splice(inputs.indexOf(input), 1);
    inputs.unshift(input);
    this.task.run(1);
  }

  /** Takes the stream time that another task has come to; timers that wait for it fire. */
  see(at: Millis): void {
    this.#see(at);
    this.task.run(0);
  }

  /** Runs the scans that are pending; behind the last record of all inputs, what is owed at the end. */
  run(): void {
    this.task.run(this.inputs.some((input) => input.left > 0) ? 0 : 1);
  }

  commit(stores: DriverStores): void {
    stores.commit(this.id, this.state, this.#numbers, this.#inputs);
  }

  /** Forgets what is not committed. */
  async discard(): Promise<void> {
    for (const input of this.topics) input.close();
    await this.state.discard();
  }
}

function taskId(stage: Stage, partition: number): string {
  return `${stage.id}_${partition}`;
}

function topicInputs({ program, index, stores }: DriverParts, task: DriverTask, built: BuiltStage): TopicInput[] {
  const { code } = program;
  const { partition } = task;
  return built.topics
    .filter(({ topic }) => partition < index.topics.get(topic)!.partitions)
    .map(({ topic, node, push, screen, time, alone }) => {
      const names = index.topics.get(topic)!;
      const key = code.serde(names.key);
      const value = code.serde(names.value);
      const position = stores.position(task.id, topic, partition);
      return new TopicInput({
        ...{ topic, partition, node, push, screen, time, alone, position, pass: undefined },
        ...{ key, value, keyView: key.view(), valueView: value.view() },
      });
    });
}

function splitInput(
  { program, index, stores }: DriverParts,
  task: DriverTask,
  built: BuiltStage,
): SplitInput | undefined {
  const connector = index.connector(task.stage);
  if (connector === undefined) return undefined;
  const { code } = program;
  return new SplitInput({
    node: connector.id,
    split: task.partition,
    position: stores.position(task.id, splitTopic(connector.id), task.partition),
    records: undefined,
    keyOf: code.fn(connector.keyOf) as (value: unknown) => unknown,
    time: code.fn(connector.time) as (value: unknown, key: unknown) => Millis,
    push: built.read!,
  });
}

/** How many tasks a stage has: one a partition, or one a split of its connector. */
export async function taskCount({ program, index }: DriverParts, stage: Stage): Promise<number> {
  const connector = index.connector(stage);
  if (connector === undefined) return stage.partitions;
  return (await (program.code.fn(connector.source) as Source<unknown>).splits()).length;
}
