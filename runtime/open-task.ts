import { join } from 'node:path';
import {
  changelogTopic,
  KeptNumbers,
  type Ledger,
  type Outputs,
  PROGRESS,
  progressTopic,
  restoreState,
  type TopicEnds,
} from '../checkpoints/checkpoints.ts';
import type { Source } from '../connectors/connectors.ts';
import type { Clock } from '../core/clock.ts';
import { partitionName, type TaskId } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { CommittedPosition, Log } from '../log/log.ts';
import type { Budget, StateBackend, TableSpec, TaskState } from '../state/state.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { NodeOf, Stage } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import { type BuiltStage, buildStage } from './build.ts';
import { Drops } from './drops.ts';
import { Failures } from './failures.ts';
import type { Input } from './inputs.ts';
import { MetricSet } from './metrics.ts';
import { passThrough } from './pass-through.ts';
import { RunningTask, type SplitFeed } from './running-task.ts';
import type { RunSettings } from './runtime.ts';
import { sharedView } from './shared-views.ts';
import { SkipLog } from './skip-log.ts';
import { SplitInput, splitTopic } from './split-input.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';
import { createScanRequests, Task } from './task.ts';
import { Timers } from './timers.ts';
import { TopicInput } from './topic-input.ts';
import type { WorkerReport } from './worker-report.ts';

export interface OpenTaskParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly log: Log;
  readonly backend: StateBackend;
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: RunSettings;
  readonly step: Step;
  readonly outputs: Outputs;
  readonly budget: Budget;
  readonly ledger: Ledger;
  /** Told as the state of a task is restored, and when it is. */
  readonly restores?: Pick<WorkerReport, 'restoring' | 'restored'>;
  maxRecordBytes(topic: string): number;
}

/** The tables of a stage's tasks: its stores, and the progress. */
export function tableSpecs(program: Program, index: PlanIndex, stage: Stage): readonly TableSpec[] {
  const tables: TableSpec[] = stage.stores.map((name) => {
    const store = index.stores.get(name)!;
    return {
      name,
      windowed: store.kind === 'window',
      cells: program.code.serde(store.value).cells,
      ordered: store.nodes.some((node) => index.nodes.get(node)!.kind === 'process'),
    };
  });
  tables.push({ name: PROGRESS, windowed: false, ordered: false });
  return tables;
}

/** Brings a task to where its last commit left it, ready to run. Where that fails nothing of it stays open. */
export async function openTask(parts: OpenTaskParts, spec: TaskSpec): Promise<RunningTask> {
  const { program, index } = parts;
  const application = program.plan.name;
  const stage = index.stages.get(spec.stage)!;
  const changelog = (table: string) =>
    table === PROGRESS ? progressTopic(application, stage.id) : changelogTopic(application, table);
  const committed = await committedPositions(parts, stage, spec);
  const state = await openState(parts, stage, spec);
  try {
    await restore(parts, stage, spec, state, changelog);
    return await buildTask(parts, stage, spec, { committed, state, changelog });
  } catch (thrown) {
    await state.discard().catch(() => undefined);
    throw thrown;
  }
}

interface Restored {
  readonly committed: Committed;
  readonly state: TaskState;
  changelog(table: string): string;
}

async function buildTask(parts: OpenTaskParts, stage: Stage, spec: TaskSpec, restored: Restored): Promise<RunningTask> {
  const { program, index, telemetry, step, outputs, clock, settings } = parts;
  const { committed, state, changelog } = restored;
  const application = program.plan.name;
  const log = telemetry.log.with({ application, task: spec.id });
  const numbers = await KeptNumbers.load(state, step);
  const drops = new Drops(new MetricSet(telemetry, { application, task: spec.id }), step);
  const skips = new SkipLog(log, clock);
  const scans = createScanRequests(step);
  const streamTime = numbers.number('stream-time', -1);
  const timers = new Timers(streamTime);
  const built = buildStage({
    program,
    index,
    stage,
    counted: telemetry.measures,
    partition: spec.partition,
    step,
    state,
    numbers,
    outputs,
    drops,
    scans,
    timers,
    maxRecordBytes: parts.maxRecordBytes,
    now: () => clock.now(),
  });
  const topics = topicInputs(parts, stage, spec, built, committed);
  const split = await splitFeed(parts, stage, spec, built, committed);
  const inputs = split === undefined ? topics : [split.input];
  const task = new Task({
    id: spec.id,
    step,
    state,
    inputs,
    operators: built.operators,
    scans,
    streamTime,
    timers,
    outputs,
    counts: built.counts.values,
    flush: () => outputs.seal(false),
    failures: new Failures({
      application,
      task: spec.id,
      step,
      outputs,
      drops,
      skips,
      onFailure: settings.onFailure,
      onUndecodable: (node) => built.onUndecodable(node),
      failingNode: (input) => built.failingNode(input),
    }),
  });
  return new RunningTask({
    task,
    partition: spec.partition,
    numbers,
    nodes: built.counts.of((node) => takenFrom(inputs, node)),
    skips,
    topics,
    split,
    progress: progressTopic(application, stage.id),
    metadata: runMetadata(parts.ledger),
    changelog,
    ledgerRow: async () => parts.ledger.taskRow(spec.id, await writtenEnds(parts, stage)),
  });
}

/** Records that came in at an entry node, opened or not; `undefined` for other nodes. */
function takenFrom(inputs: readonly Input[], node: string): number | undefined {
  const own = inputs.filter((input) => input.node === node);
  return own.length === 0 ? undefined : own.reduce((sum, { taken, passed }) => sum + taken + passed, 0);
}

/** Positions carry the run they belong to: a connector begins anew in a new run, a topic goes on. */
function runMetadata(ledger: Ledger): string {
  return `run ${ledger.run?.run ?? 0}`;
}

type Committed = ReadonlyMap<string, CommittedPosition | undefined>;

/** Where each input goes on: a topic that was never read begins at its first record. */
async function committedPositions(parts: OpenTaskParts, stage: Stage, spec: TaskSpec): Promise<Committed> {
  const { index, log, program } = parts;
  const group = program.plan.name;
  if (stage.connector !== null) {
    const { partition } = spec;
    const topic = progressTopic(group, stage.id);
    const [position] = await log.committed(group, [{ topic, partition }]);
    return new Map([[partitionName(topic, partition), position ?? (await formerPosition(parts, stage, spec))]]);
  }
  const partitions = stage.reads
    .filter((topic) => spec.partition < index.topics.get(topic)!.partitions)
    .map((topic) => ({ topic, partition: spec.partition }));
  const positions = await log.committed(group, partitions);
  const committed = new Map<string, CommittedPosition | undefined>();
  for (const [i, { topic, partition }] of partitions.entries()) {
    const first = async () => ({ position: (await log.admin.bounds(topic, partition)).start, metadata: '' });
    committed.set(partitionName(topic, partition), positions[i] ?? (await first()));
  }
  return committed;
}

/** Positions of splits once stood under a topic that there is not; only a log that takes any name has such. */
async function formerPosition(
  { log, program }: OpenTaskParts,
  stage: Stage,
  { partition }: TaskSpec,
): Promise<CommittedPosition | undefined> {
  const topic = splitTopic(stage.connector!);
  const [position] = await log.committed(program.plan.name, [{ topic, partition }]);
  return position;
}

/**
 * A stage without stores keeps only its progress, a few numbers, which its compacted changelog gives back at once. It
 * takes no disk, since to open one costs more than many a short run, and no part of the bound on memory.
 */
function openState(parts: OpenTaskParts, stage: Stage, spec: TaskSpec): Promise<TaskState> {
  const { backend, clock, step, telemetry, program } = parts;
  const stateless = stage.stores.length === 0;
  const directory = stateless ? undefined : parts.directory;
  const budget = stateless ? { maxBytes: Number.POSITIVE_INFINITY, usedBytes: 0 } : parts.budget;
  const log = telemetry.log.with({ application: program.plan.name, task: spec.id });
  return backend.open({
    task: spec.id as TaskId,
    directory: directory === undefined ? undefined : join(directory, spec.id),
    step,
    clock,
    budget,
    tables: tableSpecs(program, parts.index, stage),
    onQuarantine: (message) => log.warn({}, message),
  });
}

async function restore(
  parts: OpenTaskParts,
  stage: Stage,
  spec: TaskSpec,
  state: TaskState,
  changelog: (table: string) => string,
): Promise<void> {
  const { clock, program } = parts;
  const log = parts.telemetry.log.with({ application: program.plan.name, task: spec.id });
  const started = clock.monotonic();
  const records = await restoreState({
    log: parts.log,
    state,
    partition: spec.partition,
    tables: tableSpecs(program, parts.index, stage).map(({ name }) => ({ table: name, changelog: changelog(name) })),
    now: clock.now(),
    onProgress(table, position, end) {
      parts.restores?.restoring(spec.id, table, end - position);
      log.debug({ store: table, position, end }, 'restoring');
    },
    onReset: (table, why) => log.warn({ store: table }, `store emptied and rebuilt from its changelog: ${why}`),
  });
  parts.restores?.restored(spec.id, records, clock.monotonic() - started);
}

function topicInputs(
  parts: OpenTaskParts,
  stage: Stage,
  spec: TaskSpec,
  built: BuiltStage,
  committed: Committed,
): readonly TopicInput[] {
  const { index, program } = parts;
  const own = built.topics.filter(({ topic }) => spec.partition < index.topics.get(topic)!.partitions);
  return own.map(({ topic, node, push, screen, time }) => {
    const names = index.topics.get(topic)!;
    const key = program.code.serde(names.key);
    const value = program.code.serde(names.value);
    const input: TopicInput = new TopicInput({
      topic,
      partition: spec.partition,
      node,
      position: committed.get(partitionName(topic, spec.partition))?.position ?? 0,
      key,
      value,
      keyView: sharedView(index, node, 'key', key),
      valueView: sharedView(index, node, 'value', value),
      time,
      push,
      screen,
      pass: passThrough(index, stage, spec.partition, parts.outputs, (position, records) =>
        input.passedTo(position, records),
      ),
    });
    return input;
  });
}

async function splitFeed(
  parts: OpenTaskParts,
  stage: Stage,
  spec: TaskSpec,
  built: BuiltStage,
  committed: Committed,
): Promise<SplitFeed | undefined> {
  const node: NodeOf<'read'> | undefined = parts.index.connector(stage);
  if (node === undefined || spec.split === undefined) return undefined;
  const { code } = parts.program;
  const source = code.fn(node.source) as Source<unknown>;
  const at = committed.get(partitionName(progressTopic(parts.program.plan.name, stage.id), spec.partition));
  const position = at !== undefined && at.metadata === runMetadata(parts.ledger) ? at.position : 0;
  const reader = await source.open(spec.split, position);
  const input = new SplitInput({
    node: node.id,
    split: spec.partition,
    position,
    records: spec.split.records,
    keyOf: code.fn(node.keyOf) as (value: unknown) => unknown,
    time: code.fn(node.time) as (value: unknown, key: unknown) => number,
    push: built.read!,
  });
  return { input, reader, reading: false };
}

/** Where every partition that the stage writes ends now: nothing of the stage lies behind. */
async function writtenEnds(parts: OpenTaskParts, stage: Stage): Promise<TopicEnds> {
  const ends: { [partition: string]: number } = {};
  for (const topic of stage.writes) {
    const { partitions } = parts.index.topics.get(topic)!;
    for (let p = 0; p < partitions; p++) {
      ends[partitionName(topic, p)] = (await parts.log.admin.bounds(topic, p)).end;
    }
  }
  return ends;
}
