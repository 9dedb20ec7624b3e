import {
  KeptNumbers,
  type Ledger,
  type Outputs,
  progressTopic,
  restoreState,
  type TopicEnds,
} from '../checkpoints/checkpoints.ts';
import type { Source } from '../connectors/connectors.ts';
import { type Position, partitionName } from '../core/ids.ts';
import type { CommittedPosition, Log } from '../log/log.ts';
import type { Table, TaskState } from '../state/state.ts';
import { functionOf, type NodeOf, STORE_FORMS, type Stage } from '../topology/plan.ts';
import type { Alignment } from './alignment.ts';
import { type BuiltStage, buildStage } from './build.ts';
import { openCalls } from './calls.ts';
import type { TopicLimit } from './deploy.ts';
import { Drops } from './drops.ts';
import { Failures } from './failures.ts';
import { KeptCounts, takenFrom } from './kept-counts.ts';
import { Mailboxes } from './mailboxes.ts';
import { MetricSet } from './metrics.ts';
import { changelogOf, changelogsOf, type OpenStateParts, openState } from './open-state.ts';
import { openClock } from './open-times.ts';
import { passThrough } from './pass-through.ts';
import { RunningTask, type SplitFeed } from './running-task.ts';
import type { RunSettings } from './runtime.ts';
import { ScanRequests } from './scan-requests.ts';
import type { SchemaWaits } from './schema-waits.ts';
import { sharedView } from './shared-views.ts';
import { SkipLog } from './skip-log.ts';
import { SplitInput, splitTopic } from './split-input.ts';
import type { TaskSpec } from './stage.ts';
import type { StageClock } from './stage-clock.ts';
import type { StageTimes } from './stage-times.ts';
import { startPosition } from './start-position.ts';
import { Task } from './task.ts';
import { TaskTimes, type TaskTimesParts, toldTopics } from './task-times.ts';
import { Timers } from './timers.ts';
import { TopicInput } from './topic-input.ts';
import type { WorkerReport } from './worker-report.ts';

export interface OpenTaskParts extends OpenStateParts {
  readonly log: Log;
  readonly settings: RunSettings;
  readonly outputs: Outputs;
  readonly ledger: Ledger;
  readonly times: StageTimes;
  /** Of the sources of the worker. */
  readonly alignment: Alignment;
  /** All inputs of the run have an end, known by now or later. */
  readonly bounded: boolean;
  /** Copies of global tables, by store. */
  readonly globals: ReadonlyMap<string, Table>;
  /** Told as the state of a task is restored, and when it is. */
  readonly restores?: Pick<WorkerReport, 'restoring' | 'restored' | 'restoreEnded'>;
  readonly schemas?: SchemaWaits | undefined;
  /** Nobody waits for the task any more. */
  readonly signal?: AbortSignal;
  limit(topic: string): TopicLimit;
  /** Something has come for tasks that is no record; for the one that is named alone. */
  notify?(task?: string): void;
}

/** Partitions to which nothing else goes are told a time no more often than this. */
const TELL_MS = 100;

/** Brings a task to where its last commit left it, ready to run. Where that fails nothing of it stays open. */
export async function openTask(parts: OpenTaskParts, spec: TaskSpec): Promise<RunningTask> {
  const stage = parts.index.stages.get(spec.stage)!;
  const committed = await committedPositions(parts, stage, spec);
  const state = await openState(parts, spec);
  try {
    await restore(parts, stage, spec, state);
    return await buildTask(parts, stage, spec, { committed, state });
  } catch (thrown) {
    await state.discard().catch(() => undefined);
    throw thrown;
  } finally {
    parts.restores?.restoreEnded(spec.id);
  }
}

interface Restored {
  readonly committed: Committed;
  readonly state: TaskState;
}

async function buildTask(parts: OpenTaskParts, stage: Stage, spec: TaskSpec, restored: Restored): Promise<RunningTask> {
  const { program, index, telemetry, step, outputs, settings } = parts;
  const { committed, state } = restored;
  const application = program.plan.name;
  const log = telemetry.log.with({ application, task: spec.id });
  const numbers = await KeptNumbers.load(state, step);
  const metrics = new MetricSet(telemetry, { application, task: spec.id });
  const kept = settings.keepCounts && telemetry.measures ? new KeptCounts({ numbers, step, metrics }) : undefined;
  const drops = new Drops(kept ?? metrics, step);
  const skips = new SkipLog(log, parts.clock);
  const scans = new ScanRequests(step);
  const streamTime = numbers.number('stream-time', -1);
  const times = timesParts(parts);
  const clock = openClock({ ...times, index, step, numbers, scans }, stage, spec.partition);
  const clocked = parts.times.hasClock(stage);
  const timers = new Timers(clocked ? clock!.value : streamTime);
  const naming = { telemetry, application, task: spec.id };
  const calls = openCalls({ ...naming, clock: parts.clock, step, notify: () => parts.notify?.() });
  const mailboxes = new Mailboxes(step, () => parts.notify?.(spec.id));
  const built = buildStage({
    ...{ program, index, stage, partition: spec.partition, step, state, numbers, outputs, drops, scans, timers },
    ...{ calls, mailboxes },
    clock: clocked ? clock : undefined,
    counted: telemetry.measures,
    globals: parts.globals,
    maxRecordBytes: (topic) => parts.limit(topic).maxBytes,
    now: () => parts.clock.now(),
  });
  if (clocked) clock?.bind(built.nodes);
  const ends = await knownEnds(parts, stage, spec);
  const topics = topicInputs(parts, stage, spec, built, { committed, ends, clock });
  const split = await splitFeed(parts, stage, spec, built, committed);
  const inputs = split === undefined ? topics : [split.input];
  const nodes = built.counts.of((node) => takenFrom(inputs, node));
  kept?.follow(index.stageNodes(stage), nodes, inputs);
  const task = new Task({
    id: spec.id,
    step,
    state,
    inputs,
    operators: built.operators,
    starts: built.starts,
    early: isBounded(parts.ledger) ? built.early : [],
    ...{ scans, streamTime, timers, clock, calls, mailboxes, outputs },
    counts: built.counts.values,
    exact: kept !== undefined,
    schemas: parts.schemas,
    flush: () => outputs.seal(false),
    failures: new Failures({
      ...{ application, deadLetters: parts.index.deadLetters, task: spec.id, step, outputs, drops, skips },
      ...{ clock: parts.clock, words: settings.letterWords, only: inputs.length === 1 ? inputs[0] : undefined },
      ...{ nodes: stage.nodes, onFailure: settings.onFailure },
      onUndecodable: (node) => built.onUndecodable(node),
      onAbsurdTime: (node) => built.onAbsurdTime(node),
      failingNode: (input) => built.failingNode(input),
    }),
  });
  return new RunningTask({
    task,
    partition: spec.partition,
    numbers,
    nodes: kept === undefined ? nodes : [],
    ...{ skips, calls, mailboxes, kept },
    topics,
    split,
    alignment: parts.alignment,
    progress: progressTopic(application, stage.id),
    metadata: runMetadata(parts.ledger),
    changelog: changelogNames(application, stage),
    ...tablesOf(parts, stage),
    times: taskTimes(parts, stage, built, { task, clock }),
    ledgerRow: hasRow(parts, stage)
      ? async (ended) => parts.ledger.taskRow(spec.id, await writtenEnds(parts, stage), ended)
      : undefined,
  });
}

/** Each name is made once, since every commit asks for some. */
function changelogNames(application: string, stage: Stage): (table: string) => string {
  const names = new Map<string, string>();
  return (table) => {
    let name = names.get(table);
    if (name === undefined) {
      name = changelogOf(application, stage, table);
      names.set(table, name);
    }
    return name;
  };
}

function tablesOf({ program, index }: OpenTaskParts, stage: Stage) {
  return {
    stored: stage.stores.length === 0 ? [] : changelogsOf(program, index, stage).map(({ table }) => table),
    paned: stage.stores.filter((name) => STORE_FORMS[index.stores.get(name)!.kind].paned),
  };
}

function taskTimes(
  parts: OpenTaskParts,
  stage: Stage,
  { nodes }: BuiltStage,
  task: Pick<TaskTimesParts, 'task' | 'clock'>,
): TaskTimes | undefined {
  const { times, ...others } = timesParts(parts);
  if (!times.isTimed(stage)) return undefined;
  const notes = parts.outputs.times;
  const { bounded } = parts;
  return new TaskTimes({
    ...{ ...others, ...task, notes, bounded, clocked: times.hasClock(stage) },
    topics: toldTopics(times.writes(stage), nodes, (id) => parts.index.nodes.get(id)!),
  });
}

function timesParts({ times, ledger, settings, clock }: OpenTaskParts) {
  const { idleMs, commitIntervalMs } = settings;
  const lookMs = Math.max(250, 2 * commitIntervalMs);
  return { times, run: ledger.run?.run ?? 0, idleMs, lookMs, tellMs: TELL_MS, monotonic: () => clock.monotonic() };
}

/** Where a task may end, it says so in the ledger: in a bounded run, and where a connector is read to its end. */
function hasRow({ ledger, index }: OpenTaskParts, stage: Stage): boolean {
  return isBounded(ledger) || (ledger.run?.endless === true && index.connector(stage)?.bounded === true);
}

/**
 * Whether the task waits at an input until those who write it have ended. In a bounded run it does; in one that goes on,
 * where connectors fill a table, so that a join has the whole of it first. But not for those who wait for this task: who
 * reads what it writes, and sources that are aligned with one of its inputs.
 */
function awaitsEnd({ ledger, index }: OpenTaskParts, stage: Stage, topic: string, node: string): boolean {
  if (!index.isFedByOthers(stage, topic)) return false;
  return isBounded(ledger) || (index.isWrittenOnce(topic) && index.fillsJoinedTable(stage, node));
}

function isBounded({ run }: Ledger): boolean {
  return run !== undefined && !run.complete && !run.endless;
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
  for (const [i, at] of partitions.entries()) {
    committed.set(partitionName(at.topic, at.partition), await startPosition(parts, at, positions[i]));
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

async function restore(parts: OpenTaskParts, stage: Stage, spec: TaskSpec, state: TaskState): Promise<void> {
  const { clock, program } = parts;
  const log = parts.telemetry.log.with({ application: program.plan.name, task: spec.id });
  const started = clock.monotonic();
  const records = await restoreState({
    log: parts.log,
    state,
    partition: spec.partition,
    tables: changelogsOf(program, parts.index, stage),
    now: clock.now(),
    signal: parts.signal,
    onProgress: (table, position, end) => parts.restores?.restoring(spec.id, table, position, end),
    onReset: (table, why) => log.warn({ store: table }, `store emptied and rebuilt from its changelog: ${why}`),
  });
  parts.restores?.restored(spec.id, records, clock.monotonic() - started);
}

/**
 * Where the inputs end by now, of a task that has several, or whose time counts for others: until an input has been
 * fetched that far, older records than those of the others may come from it, whoever is answered first.
 */
async function knownEnds(parts: OpenTaskParts, stage: Stage, spec: TaskSpec): Promise<ReadonlyMap<string, Position>> {
  const { index, log } = parts;
  const { partition } = spec;
  const topics = stage.reads.filter((topic) => partition < index.topics.get(topic)!.partitions);
  if (topics.length < 2 && !parts.times.isTimed(stage)) return new Map();
  const bounds = await Promise.all(topics.map((topic) => log.admin.bounds(topic, partition)));
  return new Map(topics.map((topic, i) => [topic, bounds[i]!.stable]));
}

function topicInputs(
  parts: OpenTaskParts,
  stage: Stage,
  spec: TaskSpec,
  built: BuiltStage,
  from: {
    readonly committed: Committed;
    readonly ends: ReadonlyMap<string, Position>;
    readonly clock: StageClock | undefined;
  },
): readonly TopicInput[] {
  const { index, program } = parts;
  const { committed, ends, clock } = from;
  const own = built.topics.filter(({ topic }) => spec.partition < index.topics.get(topic)!.partitions);
  const isAligned = own.some(({ align }) => align !== null);
  return own.map(({ topic, node, push, screen, time, align, alone }) => {
    const names = index.topics.get(topic)!;
    const key = program.code.serde(names.key);
    const value = program.code.serde(names.value);
    const input: TopicInput = new TopicInput({
      topic,
      partition: spec.partition,
      node,
      position: committed.get(partitionName(topic, spec.partition))?.position ?? 0,
      known: ends.get(topic) ?? 0,
      awaitsEnd: !isAligned && awaitsEnd(parts, stage, topic, node),
      key,
      value,
      keyView: sharedView(index, node, 'key', key),
      valueView: sharedView(index, node, 'value', value),
      time,
      push,
      screen,
      alone,
      told: clock?.isTold(topic) ? (bytes, start, end) => clock.take(topic, bytes, start, end) : undefined,
      pass: passThrough(
        { index, stage, partition: spec.partition, outputs: parts.outputs, limit: parts.limit },
        (...to) => input.passedTo(...to),
      ),
    });
    if (align !== null) input.ceiling = parts.alignment.join(align.group, align.maxDriftMs, input);
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
  const source = parts.program.code.fn(node.source) as Source<unknown>;
  const at = committed.get(partitionName(progressTopic(parts.program.plan.name, stage.id), spec.partition));
  const position = at !== undefined && at.metadata === runMetadata(parts.ledger) ? at.position : 0;
  const reader = await source.open(spec.split, position);
  const input = new SplitInput({
    node: node.id,
    split: spec.partition,
    position,
    records: spec.split.records,
    keyOf: functionOf<(value: unknown) => unknown>(parts.program, node, 'key', node.keyOf),
    time: functionOf<(value: unknown, key: unknown) => number>(parts.program, node, 'time', node.time),
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
