import { KeptNumbers, type Outputs } from '../checkpoints/checkpoints.ts';
import type { Source } from '../connectors/connectors.ts';
import type { Clock } from '../core/clock.ts';
import type { Millis, TaskId } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { StateBackend, Table, TaskState } from '../state/state.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type FailurePolicy, functionOf, type Stage } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import { Alignment } from './alignment.ts';
import { type BuiltStage, buildStage } from './build.ts';
import { openCalls, type TaskCalls } from './calls.ts';
import { Drops } from './drops.ts';
import { Failures } from './failures.ts';
import type { Input } from './inputs.ts';
import { Mailboxes } from './mailboxes.ts';
import { MetricSet } from './metrics.ts';
import { tableSpecs } from './open-state.ts';
import { openClock } from './open-times.ts';
import { ScanRequests } from './scan-requests.ts';
import { SkipLog } from './skip-log.ts';
import { SplitInput, splitTopic } from './split-input.ts';
import type { PlanIndex } from './stage.ts';
import type { StageClock } from './stage-clock.ts';
import { StageTimes } from './stage-times.ts';
import { Task } from './task.ts';
import { TaskTimes, toldTopics } from './task-times.ts';
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
  /** Copies of global tables, by store. */
  readonly globals: ReadonlyMap<string, Table>;
  readonly onFailure: FailurePolicy;
  readonly idleMs: Millis;
  /** Connectors are read to their end now; before that, a test sends what it wants, and they hold no time back. */
  isEnding(): boolean;
  /** A call that a task has made is over. */
  notify(): void;
}

/** What is of all tasks at once. */
interface Together {
  readonly times: StageTimes;
  readonly alignment: Alignment;
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
  readonly calls: TaskCalls;
  readonly #mailboxes: Mailboxes;
  readonly #times: TaskTimes | undefined;
  readonly #inputs: Input[];
  readonly #numbers: KeptNumbers;
  readonly #see: (at: Millis) => void;

  private constructor(
    parts: DriverParts,
    together: Together,
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
    const { times, alignment } = together;
    const telling = { times, run: 0, idleMs: parts.idleMs, lookMs: Number.POSITIVE_INFINITY, tellMs: 0 };
    const monotonic = () => clock.monotonic();
    const stageClock = openClock({ ...telling, index, step, numbers, scans, monotonic }, stage, partition);
    const clocked = times.hasClock(stage);
    const timers = new Timers(clocked ? stageClock!.value : streamTime);
    const notify = () => parts.notify();
    const calls = openCalls({ clock, step, telemetry, application: program.plan.name, task: this.id, notify });
    this.calls = calls;
    const mailboxes = new Mailboxes(step, notify);
    this.#mailboxes = mailboxes;
    const built = buildStage({
      ...{ program, index, stage, partition, step, state, numbers, outputs, drops, scans, timers, calls },
      mailboxes,
      clock: clocked ? stageClock : undefined,
      globals: parts.globals,
      maxRecordBytes: () => ANY_SIZE,
      now: () => clock.now(),
    });
    if (clocked) stageClock!.bind(built.nodes);
    this.topics = topicInputs(parts, this, built, stageClock, alignment);
    this.split = splitInput(parts, this, built);
    this.#inputs = this.split === undefined ? [...this.topics] : [this.split];
    this.#see = (at) => {
      if (at <= streamTime.value) return;
      step.begin();
      streamTime.set(at);
      step.settle();
      if (timers.due()) scans.pending.push(timers);
    };
    this.task = new Task({
      ...{ id: this.id, step, state, scans, streamTime, timers, calls, mailboxes, clock: stageClock, outputs },
      inputs: this.#inputs,
      operators: built.operators,
      starts: built.starts,
      early: built.early,
      counts: built.counts.values,
      flush: () => outputs.seal(false),
      failures: new Failures({
        ...{ application: program.plan.name, deadLetters: index.deadLetters, task: this.id, step, outputs, drops },
        ...{ clock, words: { told: {}, owners: {} }, only: this.#inputs.length === 1 ? this.#inputs[0] : undefined },
        nodes: stage.nodes,
        skips: new SkipLog(telemetry.log, clock),
        onFailure: parts.onFailure,
        onUndecodable: (node) => built.onUndecodable(node),
        onAbsurdTime: (node) => built.onAbsurdTime(node),
        failingNode: (input) => built.failingNode(input),
      }),
    });
    this.task.open();
    if (!times.isTimed(stage)) return;
    this.#times = new TaskTimes({
      ...{ ...telling, monotonic, task: this.task, clock: stageClock, clocked },
      topics: toldTopics(times.writes(stage), built.nodes, (id) => index.nodes.get(id)!),
      notes: outputs.times,
      get bounded() {
        return index.bounded && parts.isEnding();
      },
    });
  }

  /** Opens a task as it was last committed. */
  static async open(parts: DriverParts, together: Together, stage: Stage, partition: number): Promise<DriverTask> {
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
    return new DriverTask(parts, together, { stage, partition, state, numbers });
  }

  get inputs(): readonly Input[] {
    return this.#inputs;
  }

  /** A number of its progress, where there is one. */
  number(name: string): number | undefined {
    return this.#numbers.value(name);
  }

  /** Takes one record, from this input where others have one of the same time; then what scans are pending. */
  takeFrom(input: Input): void {
    const inputs = this.#inputs;
    inputs.splice(inputs.indexOf(input), 1);
    inputs.unshift(input);
    this.#runTask(1);
  }

  /** Takes the stream time that another task has come to; timers that wait for it fire. */
  see(at: Millis): void {
    this.#see(at);
    this.#runTask(0);
  }

  /** Runs the scans that are pending; behind the last record of all inputs, what is owed at the end. */
  run(): void {
    this.#runTask(this.inputs.some((input) => input.left > 0) ? 0 : 1);
  }

  /** What a call waits for that begins when its record is committed is there at once. */
  #runTask(max: number): void {
    this.task.run(max);
    this.calls.cut();
    this.calls.committed();
  }

  /** Lets time go on, where nothing is left to take, and tells it; answers whether anything came of it. */
  tellTime(): boolean {
    if (this.#times === undefined) return false;
    while (this.#times.turn()) this.run();
    if (!this.task.worked) return false;
    this.task.worked = false;
    this.#times.note();
    return true;
  }

  commit(stores: DriverStores): void {
    stores.commit(this.id, this.state, this.#numbers, this.#inputs);
    this.#mailboxes.cut();
    this.#mailboxes.committed();
  }

  /** From now on its state knows what rows were before an epoch changed them, for questions about what is committed. */
  keepCommitted(): boolean {
    return this.state.tellsCommitted;
  }

  /** Forgets what is not committed. */
  async discard(): Promise<void> {
    this.task.close();
    for (const input of this.topics) input.close();
    await this.state.discard();
  }
}

function taskId(stage: Stage, partition: number): string {
  return `${stage.id}_${partition}`;
}

function topicInputs(
  { program, index, stores }: DriverParts,
  task: DriverTask,
  built: BuiltStage,
  clock: StageClock | undefined,
  alignment: Alignment,
): TopicInput[] {
  const { code } = program;
  const { partition } = task;
  return built.topics
    .filter(({ topic }) => partition < index.topics.get(topic)!.partitions)
    .map(({ topic, node, push, screen, time, align, alone }) => {
      const names = index.topics.get(topic)!;
      const key = code.serde(names.key);
      const value = code.serde(names.value);
      const position = stores.position(task.id, topic, partition);
      const input = new TopicInput({
        ...{ topic, partition, node, push, screen, time, alone, position, pass: undefined },
        ...{ key, value, keyView: key.view(), valueView: value.view() },
        told: clock?.isTold(topic) ? (bytes, start, end) => clock.take(topic, bytes, start, end) : undefined,
      });
      if (align !== null) input.ceiling = alignment.join(align.group, align.maxDriftMs, input);
      return input;
    });
}

function splitInput(
  { program, index, stores }: DriverParts,
  task: DriverTask,
  built: BuiltStage,
): SplitInput | undefined {
  const connector = index.connector(task.stage);
  if (connector === undefined) return undefined;
  return new SplitInput({
    node: connector.id,
    split: task.partition,
    position: stores.position(task.id, splitTopic(connector.id), task.partition),
    records: undefined,
    keyOf: functionOf<(value: unknown) => unknown>(program, connector, 'key', connector.keyOf),
    time: functionOf<(value: unknown, key: unknown) => Millis>(program, connector, 'time', connector.time),
    push: built.read!,
  });
}

/** Opens all tasks as they were last committed. */
export async function openTasks(parts: DriverParts): Promise<readonly DriverTask[]> {
  const specs: { readonly id: string; readonly stage: Stage; readonly partition: number }[] = [];
  for (const stage of parts.program.plan.stages) {
    const count = await taskCount(parts, stage);
    for (let partition = 0; partition < count; partition++) {
      specs.push({ id: taskId(stage, partition), stage, partition });
    }
  }
  const times = new StageTimes(
    parts.index,
    specs.map(({ id, stage }) => ({ id, stage: stage.id })),
  );
  const together = { times, alignment: new Alignment() };
  const tasks: DriverTask[] = [];
  for (const { stage, partition } of specs) tasks.push(await DriverTask.open(parts, together, stage, partition));
  return tasks;
}

/** How many tasks a stage has: one a partition, or one a split of its connector. */
async function taskCount({ program, index }: DriverParts, stage: Stage): Promise<number> {
  const connector = index.connector(stage);
  if (connector === undefined) return stage.partitions;
  return (await (program.code.fn(connector.source) as Source<unknown>).splits()).length;
}
