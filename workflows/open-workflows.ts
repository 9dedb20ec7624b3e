import type { Clock } from '../core/clock.ts';
import type { Millis, Position } from '../core/ids.ts';
import { uniqueId } from '../core/random.ts';
import { COMMANDS_TOPIC, decodeStep, openFeed } from '../events/events.ts';
import { createLaneLog, type LaneSettings, type Log } from '../log/log.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from '../runtime/runtime.ts';
import type { StateBackend } from '../state/state.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Answers } from './control/answers.ts';
import { DEFAULT_QUARANTINE, type QuarantineSettings } from './control/call-gate.ts';
import { callWords } from './control/call-words.ts';
import { Catalogue } from './control/catalogue.ts';
import { Commands } from './control/commands.ts';
import { Coordinator } from './control/coordinator.ts';
import { GraphCache } from './control/definition-rows.ts';
import { DirectCommands } from './control/direct-commands.ts';
import type { Ends } from './control/ends.ts';
import { Facade } from './control/facade.ts';
import { graphNames, knownDefinitions } from './control/graph-names.ts';
import { publishedGraph } from './control/known-graphs.ts';
import { controlProgram } from './control/program.ts';
import { RecordStarts } from './control/record-starts.ts';
import { runInline } from './control/run-inline.ts';
import { SegmentCalls } from './control/segment-calls.ts';
import { Sender } from './control/sender.ts';
import { TaskCalls } from './control/task-calls.ts';
import { taskRows } from './control/task-rows.ts';
import { prepareControlTopics } from './control/topics.ts';
import type { Language } from './language.ts';
import { runOfTopic, type SegmentHost } from './segments/segments.ts';
import type { Workflows } from './workflows.ts';

export interface WorkflowParts {
  readonly log: Log;
  readonly state: StateBackend;
  /** The folder of the local stores, or `undefined` for memory alone. */
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly language: Language;
  /**
   * Where the first step record of an execution stands in its partition, as a read side knows it. A wrong answer costs
   * time, and nothing else; one that fails is as none.
   */
  readonly place?: (execution: string) => Promise<{ readonly first: Position } | undefined>;
  readonly settings?: Partial<WorkflowSettings>;
}

export interface WorkflowSettings {
  /** Of the control plane's topics, for good: the first start decides. */
  readonly partitions: number;
  readonly commitIntervalMs: Millis;
  /** How long a command waits for its answer. */
  readonly answerTimeoutMs: Millis;
  /** How long it is known that an execution has ended, so that a start which comes again meets it. */
  readonly rememberMs: Millis;
  /** Tasks of a pool that run at a time, in each partition; other pools have as many as `default`. */
  readonly slots: { readonly [pool: string]: number };
  /** When tasks are kept apart, and held, whose processes end while they run; what is not said is as by default. */
  readonly quarantine: Partial<QuarantineSettings>;
  /**
   * What segments of the data plane have beside: databases by the names that documents call them by, settings of runs,
   * and how often their figures are told while they run.
   */
  readonly segments: Partial<Pick<SegmentHost, 'connections' | 'settings' | 'tellEveryMs'>> & {
    /** Of the topics that bounded runs share, for good: the first run decides. */
    readonly lanes?: Partial<LaneSettings>;
  };
  /** What the run of the control plane is to do otherwise. */
  readonly run: Partial<RunSettings>;
}

export const DEFAULT_WORKFLOW_SETTINGS: WorkflowSettings = {
  partitions: 8,
  commitIntervalMs: 5,
  answerTimeoutMs: 30_000,
  rememberMs: 86_400_000,
  slots: { default: 128 },
  quarantine: {},
  segments: {},
  run: {},
};

const MAX_CALLS = 100_000;

/** Runs the control plane in this process, and answers the way to it. */
export async function openWorkflows(parts: WorkflowParts): Promise<Workflows> {
  const settings = { ...DEFAULT_WORKFLOW_SETTINGS, ...parts.settings };
  const { log, clock, language, telemetry } = parts;
  const partitions = await prepareControlTopics(log.admin, settings.partitions);
  const catalogue = await Catalogue.open({ log, clock });
  const answers = new Answers({ clock, timeoutMs: settings.answerTimeoutMs, wake: () => feed.wake() });
  const sender = new Sender({ clock, topic: COMMANDS_TOPIC, partitions, producer: await log.producer({}) });
  const figures = { commands: 0, steps: 0, nodes: 0, started: 0, ended: 0 };
  let started: (run: Run) => void = () => {};
  const running = new Promise<Run>((resolve) => {
    started = resolve;
  });
  const graphs = new GraphCache(language);
  const names = graphNames(catalogue, graphs);
  const known = knownDefinitions(catalogue);
  const feed = await openFeed({ log, clock, partitions, decode: decodeStep, names, known, watcher: answers });
  const direct = new DirectCommands({
    toLog({ id, root, message, at }) {
      answers.heed(id);
      sender.send(root, JSON.stringify(message), at, (reason) => answers.fail(id, reason));
    },
    told: feed.knowsEnds ? (told) => answers.told(told) : undefined,
  });
  const commands = new Commands({ direct, answers, clock, partitions });
  const opened = Promise.withResolvers<Ends>();
  const { phase, isLeft, ...rows } = taskRows(running, clock, partitions);
  const segments = new SegmentCalls({
    isLeft,
    host: segmentHost(parts, settings),
    graph: (hash) => publishedGraph(catalogue, graphs, hash),
    records: new RecordStarts({ catalogue, commands, sender, ends: opened.promise, clock, phase }),
  });
  const process = uniqueId();
  const quarantine = { ...DEFAULT_QUARANTINE, ...settings.quarantine };
  const calls = new TaskCalls({
    ...{ segments, language, clock, process, quarantine },
    tell: (execution, command) => commands.command(execution, command),
    lost: ({ x: execution, node, a: attempt, l = 0 }) =>
      telemetry.log.warn({ execution, node, attempt, inARow: l + 1 }, 'a process ended while it called a task'),
    ...callWords({ answers, sender, clock, process }),
    ...rows,
  });
  const lifecycle = language.lifecycle(runInline, quarantine.heldAfter);
  const program = controlProgram({
    partitions,
    rememberMs: settings.rememberMs,
    maxCalls: MAX_CALLS,
    coordinator: () =>
      new Coordinator({
        ...{ lifecycle, graphs, calls, figures, direct },
        rememberMs: settings.rememberMs,
        slots: (pool) =>
          settings.slots[pool] ?? settings.slots['default'] ?? DEFAULT_WORKFLOW_SETTINGS.slots['default']!,
      }),
    call: (task, lost) => calls.call(task, lost),
  });
  const run = await startRun({
    ...{ program, log, clock, telemetry, state: parts.state, directory: parts.directory },
    settings: {
      ...DEFAULT_SETTINGS,
      commitIntervalMs: settings.commitIntervalMs,
      onFailure: 'dead-letter',
      ...settings.run,
      plane: 'control',
    },
  });
  started(run);
  run.finished.catch((reason: unknown) => answers.failAll(reason));
  const facade = new Facade({
    directory: parts.directory,
    ...{ log, clock, language, lifecycle, graphs, catalogue, answers, sender, commands, run, partitions, feed, names },
    ...(parts.place === undefined ? {} : { place: parts.place }),
    figures: () => ({ ...figures }),
    async stopCalls() {
      await calls.close();
      await segments.close();
    },
  });
  opened.resolve(facade.ends);
  await facade.announceSchedules();
  return facade;
}

/** Where segments run: bounded ones in lanes, but over a log that opens batches on their way. */
function segmentHost(
  { log, clock, state, directory, telemetry, language }: WorkflowParts,
  { segments }: WorkflowSettings,
) {
  const { lanes = {}, ...more } = segments;
  const shared = log.capabilities.rawBatches ? { lanes: createLaneLog(log, { clock, runOf: runOfTopic, lanes }) } : {};
  return { log, clock, state, directory, telemetry, http: language.http, ...shared, ...more };
}
