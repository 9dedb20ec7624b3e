import { Committer, Ledger, ledgerTopic, Outputs } from '../checkpoints/checkpoints.ts';
import { systemClock } from '../core/clock.ts';
import { partitionName } from '../core/ids.ts';
import { type Random, randomInt, seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { GroupIdentity, Log, LogReader } from '../log/log.ts';
import { createStateBackend, type StateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { endsBefore, type FailurePolicy, type Stage } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import { Alignment } from './alignment.ts';
import { beginRun } from './begin-run.ts';
import { limitOf, prepareTopics, type TopicLimits } from './deploy.ts';
import { eachFetched } from './each-record.ts';
import { GlobalTables } from './global-tables.ts';
import { type OpenTaskParts, openTask } from './open-task.ts';
import { readRaw } from './read-raw.testing.ts';
import type { RunningTask } from './running-task.ts';
import { DEFAULT_SETTINGS } from './runtime.ts';
import { deadLetterTopic, PlanIndex, type TaskSpec } from './stage.ts';
import { StageTimes } from './stage-times.ts';
import type { RunResult } from './task-parts.ts';
import type { TopicInput } from './topic-input.ts';

/**
 * Drives the tasks of a plan one after the other, stage by stage, each to the end of its inputs: what comes out may
 * depend on nothing but the inputs. Stages that feed each other run together, in slices, as the tasks of one worker.
 * Sizes of batches and slices, moments of commits, write-backs and crashes come from a seed; log and stores are real.
 */
export interface DriveOptions {
  /** Without a seed: whole inputs at once, and a commit where nothing else is left to do. */
  readonly seed?: number;
  /** Bound of hot rows, in bytes. Without it: none. */
  readonly stateBytes?: number;
  /** Folder of the stores; without it they are in memory. */
  readonly directory?: string;
  /** One in so many turns a task is thrown away and opened anew; 0: never. */
  readonly crashEvery?: number;
  readonly onFailure?: FailurePolicy;
}

export interface InputRecord {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
}

export type Inputs = ReadonlyMap<string, readonly InputRecord[]>;

export interface Driven {
  /** Every record of every topic that the plan writes, and the dead letters, by `topic/partition`, in order. */
  readonly outputs: { readonly [partition: string]: readonly string[] };
  /** Records that went no further, by node and reason; right only where nothing crashed. */
  readonly drops: { readonly [nodeAndReason: string]: number };
  readonly coldReads: number;
  readonly misses: number;
  readonly crashes: number;
  readonly commits: number;
}

/** Drives a program over an empty log. */
export function drive(log: Log, program: Program, inputs: Inputs, options: DriveOptions): Promise<Driven> {
  return new Drive(program, log, options).run(inputs);
}

/** A task at work, its reader, and for the inputs that tasks beside it write, which. */
interface Opened {
  readonly id: string;
  readonly running: RunningTask;
  readonly reader: LogReader;
  readonly writers: Map<TopicInput, readonly string[]>;
  readonly slice: number;
}

class Drive {
  readonly #program: Program;
  readonly #log: Log;
  readonly #options: DriveOptions;
  readonly #random: Random | undefined;
  readonly #index: PlanIndex;
  readonly #telemetry = silentTelemetry();
  readonly #step = new Step();
  readonly #outputs: Outputs;
  readonly #figures = { coldReads: 0, misses: 0, crashes: 0, commits: 0 };

  constructor(program: Program, log: Log, options: DriveOptions) {
    this.#program = program;
    this.#log = log;
    this.#options = options;
    this.#random = options.seed === undefined ? undefined : seededRandom(options.seed);
    this.#index = new PlanIndex(program.plan);
    this.#outputs = new Outputs(this.#step, this.#pick(50, 400, 5000, 1 << 20));
  }

  async run(inputs: Inputs): Promise<Driven> {
    const { plan } = this.#program;
    for (const topic of plan.topics) {
      if (this.#index.writers(topic.name).length > 0) continue;
      await this.#log.admin.create(topic.name, { partitions: topic.partitions });
      await this.#fill(topic.name, topic.partitions, inputs.get(topic.name) ?? []);
    }
    const specs = plan.stages.flatMap((stage) => specsOf(stage));
    const limits = await prepareTopics(this.#log.admin, this.#index, specs);
    const member = await this.#log.join({
      group: plan.name,
      name: plan.name,
      metadata: '',
      assign: (members) => new Map(members.map((each) => [each.member, { tasks: [], metadata: '' }])),
      onAssign: () => undefined,
      onRevoke: async () => undefined,
      onLost: () => undefined,
    });
    const parts = await this.#parts(limits);
    for (const stages of inOrder(plan.stages)) {
      const specs = stages.flatMap(specsOf);
      const together = stages.length > 1 || feeds(stages[0]!, stages[0]!);
      for (const group of together ? [specs] : specs.map((spec) => [spec])) {
        await this.#runTasks(parts, group, member.identity);
      }
    }
    await parts.backend.close();
    const drops: { [name: string]: number } = {};
    for (const { name, labels, values } of this.#telemetry.snapshot()) {
      if (name !== 'nodeflow_dropped_records_total') continue;
      const label = `${labels['node']} ${labels['reason']}`;
      drops[label] = (drops[label] ?? 0) + values[0]!;
    }
    return { outputs: await this.#readAll(), drops, ...this.#figures };
  }

  async #parts(limits: TopicLimits): Promise<OpenTaskParts> {
    const backend = createStateBackend({});
    const ledger = await Ledger.open(this.#log, this.#program.plan.name, systemClock);
    // topics that end before the task that writes them are known in bounded runs alone
    if (this.#program.plan.stages.some((stage) => endsBefore(this.#program.plan, stage).length > 0)) {
      await beginRun({ log: this.#log, index: this.#index, ledger, clock: systemClock }, false);
    }
    return {
      program: this.#program,
      index: this.#index,
      log: this.#log,
      backend,
      directory: this.#options.directory,
      clock: systemClock,
      telemetry: this.#telemetry,
      settings: { ...DEFAULT_SETTINGS, onFailure: this.#options.onFailure ?? 'fail' },
      step: this.#step,
      globals: await this.#globals(backend),
      outputs: this.#outputs,
      budget: { maxBytes: this.#options.stateBytes ?? Number.MAX_SAFE_INTEGER, usedBytes: 0 },
      ledger,
      times: new StageTimes(this.#index, this.#program.plan.stages.flatMap(specsOf)),
      alignment: new Alignment(),
      bounded: true,
      limit: limitOf(limits),
    };
  }

  /** Global tables, loaded from their topics. */
  async #globals(backend: StateBackend): Promise<GlobalTables['tables']> {
    const budget = { maxBytes: Number.MAX_SAFE_INTEGER, usedBytes: 0 };
    const parts = { index: this.#index, clock: systemClock, telemetry: this.#telemetry };
    const globals = await GlobalTables.open({ ...parts, backend, budget });
    for (const { topic } of this.#index.globals) {
      for (let partition = 0; partition < this.#index.topics.get(topic)!.partitions; partition++) {
        const { start, stable } = await this.#log.admin.bounds(topic, partition);
        await eachFetched(this.#log, { topic, partition }, start, stable, (fetched) => {
          globals.take(fetched);
          return false;
        });
      }
    }
    return globals.tables;
  }

  /** Writes records in batches of random sizes. */
  async #fill(topic: string, partitions: number, records: readonly InputRecord[]): Promise<void> {
    const producer = await this.#log.producer({});
    for (let partition = 0; partition < partitions; partition++) {
      const own = records.filter((record) => record.partition === partition);
      for (let from = 0; from < own.length; ) {
        const to = from + this.#pick(1, 3, 20, 200, 100_000);
        const step = new Step();
        const builder = new BatchBuilder(step);
        for (const { key, value, timestamp } of own.slice(from, to)) {
          const k = key ?? EMPTY;
          const v = value ?? EMPTY;
          builder.append(timestamp, k, key === null ? -1 : 0, k.length, v, value === null ? -1 : 0, v.length);
        }
        await producer.append(topic, partition, builder.finish());
        from = to;
      }
    }
    await producer.close();
  }

  async #runTasks(parts: OpenTaskParts, specs: readonly TaskSpec[], identity: GroupIdentity): Promise<void> {
    const producer = await this.#log.producer({ transactionalId: 'drive' });
    const options = { producer, step: this.#step, outputs: this.#outputs, ledgerTopic: ledgerTopic(identity.group) };
    const committer = new Committer({
      ...options,
      guarantee: 'exactly-once',
      identityFor: () => identity,
      nextIdentity: async () => undefined,
    });
    for (let crashed = 0; ; crashed++) {
      const opened: Opened[] = [];
      for (const spec of specs) opened.push(await this.#open(parts, spec, specs));
      // many tasks together would hardly ever all come to their end between two of them
      const crashes = specs.length === 1 || crashed < MOST_CRASHES;
      if (await this.#runOpened(opened, committer, crashes)) break;
      this.#figures.crashes++;
      await committer.settled();
      await committer.abort();
      this.#outputs.clear();
      for (const { running } of opened) await running.discard();
    }
    await producer.close();
  }

  async #open(parts: OpenTaskParts, spec: TaskSpec, group: readonly TaskSpec[]): Promise<Opened> {
    const running = await openTask(parts, spec);
    const reader = this.#log.reader({ isolation: 'committed', maxPartitionBytes: this.#pick(1, 500, 1 << 20) });
    const writers = new Map<TopicInput, readonly string[]>();
    for (const input of running.topics) {
      const { topic, partition, position } = input;
      const stages = this.#index.writers(topic).map(({ id }) => id);
      const beside = group.filter(({ stage }) => stages.includes(stage)).map(({ id }) => id);
      if (beside.length > 0) writers.set(input, beside);
      else input.setEnd((await this.#log.admin.bounds(topic, partition)).stable);
      reader.assign([{ topic, partition, position }]);
    }
    return { id: spec.id, running, reader, writers, slice: this.#pick(3, 20, 200) };
  }

  /** False where it was cut short. */
  async #runOpened(opened: readonly Opened[], committer: Committer, crashes: boolean): Promise<boolean> {
    const { crashEvery = 0 } = this.#options;
    const finish = async () => {
      for (const { running, reader } of opened) {
        this.#figures.coldReads += running.task.state.figures.coldReads;
        await reader.close();
      }
    };
    while (!opened.every(({ running }) => running.task.finished)) {
      let worked = false;
      for (const each of opened) {
        const { task } = each.running;
        if (task.finished) continue;
        const result = await this.#turn(each);
        if (!committer.committing) committer.flush();
        const waits = this.#random === undefined && result === 'idle' && task.worked;
        if (waits || (this.#random !== undefined && result !== 'miss' && this.#oneIn(4))) {
          await this.#commit(opened, committer);
        }
        worked ||= result !== 'idle' || task.worked;
      }
      if (crashes && crashEvery > 0 && this.#oneIn(crashEvery)) {
        await finish();
        return false;
      }
      if (opened.length > 1 && !worked) await this.#endInputs(opened, committer);
    }
    await this.#commit(opened, committer);
    await committer.settled();
    await finish();
    for (const { running } of opened) await running.close();
    return true;
  }

  async #turn({ running, reader, slice }: Opened): Promise<RunResult> {
    const { task, topics } = running;
    if (this.#oneIn(3)) {
      for (const fetched of await reader.fetch(0)) {
        topics.find((input) => input.topic === fetched.topic && input.partition === fetched.partition)!.offer(fetched);
      }
    }
    const result = task.run(this.#random === undefined ? 1_000_000 : 1 + randomInt(this.#random, slice));
    if (result === 'miss') {
      this.#figures.misses++;
      await task.fetchMissed();
    } else task.state.unpin();
    // calls of asynchronous functions end
    if (result === 'idle') await systemClock.turn();
    return result;
  }

  /** Topics that nobody of those beside writes any more end where they stand, when that is committed. */
  async #endInputs(opened: readonly Opened[], committer: Committer): Promise<void> {
    const done = new Map(opened.map(({ id, running }) => [id, running.task]));
    for (const { writers } of opened) {
      for (const [input, ids] of writers) {
        const { topic, partition } = input;
        if (!ids.every((id) => done.get(id)!.finished || done.get(id)!.endedTopics.has(topic))) continue;
        await this.#commit(opened, committer);
        await committer.settled();
        input.setEnd((await this.#log.admin.bounds(topic, partition)).stable);
        writers.delete(input);
      }
    }
  }

  async #commit(opened: readonly Opened[], committer: Committer): Promise<void> {
    await committer.settled();
    committer.commit(opened.map(({ running }) => ({ ...running.part(), ended: undefined })));
    for (const { running } of opened) running.task.worked = false;
    const committed = () => {
      for (const { running } of opened) running.committed();
    };
    committer.settled().then(committed, () => undefined);
    this.#figures.commits++;
    if (this.#oneIn(2)) return;
    await committer.settled();
    for (const { running } of opened) {
      const { state } = running.task;
      if (state.overBudget || this.#oneIn(3)) await state.writeBack();
    }
  }

  async #readAll(): Promise<Driven['outputs']> {
    const outputs: { [partition: string]: string[] } = {};
    const { plan } = this.#program;
    const written = plan.topics.filter(({ name }) => this.#index.writers(name).length > 0);
    const topics = [...written, { name: deadLetterTopic(plan.name), partitions: 1 }];
    for (const { name, partitions } of topics) {
      for (let p = 0; p < partitions; p++) outputs[partitionName(name, p)] = await readRaw(this.#log, name, p);
    }
    return outputs;
  }

  #pick(...sizes: readonly number[]): number {
    return this.#random === undefined ? sizes.at(-1)! : sizes[randomInt(this.#random, sizes.length)]!;
  }

  #oneIn(times: number): boolean {
    return this.#random === undefined || randomInt(this.#random, times) === 0;
  }
}

const MOST_CRASHES = 8;
const EMPTY = Buffer.alloc(0);

function specsOf(stage: Stage): readonly TaskSpec[] {
  return Array.from({ length: stage.partitions }, (_, partition) => ({
    ...{ id: `${stage.id}_${partition}`, stage: stage.id, partition, split: undefined },
  }));
}

function feeds(from: Stage, to: Stage): boolean {
  return from.writes.some((topic) => to.reads.includes(topic));
}

/** Each stage behind those that write what it reads; together with those that it feeds itself. */
function inOrder(stages: readonly Stage[]): readonly (readonly Stage[])[] {
  const sorted: (readonly Stage[])[] = [];
  for (let left = stages; left.length > 0; ) {
    const groups = left.map((stage) => {
      const group = new Set([stage]);
      for (const each of group) for (const other of left) if (feeds(other, each)) group.add(other);
      return group;
    });
    const next = groups.reduce((least, each) => (each.size < least.size ? each : least));
    sorted.push([...next]);
    left = left.filter((stage) => !next.has(stage));
  }
  return sorted;
}
