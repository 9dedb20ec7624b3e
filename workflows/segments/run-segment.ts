import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Ledger, ledgerTopic } from '../../checkpoints/checkpoints.ts';
import { type Exported, runExport } from '../../connectors/export.ts';
import type { Clock } from '../../core/clock.ts';
import type { Json, Millis } from '../../core/ids.ts';
import type { Mode } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import {
  COUNTED_METRICS,
  committedCounts,
  DEFAULT_SETTINGS,
  forgetApplication,
  type Run,
  type RunSettings,
  startRun,
} from '../../runtime/runtime.ts';
import type { StateBackend } from '../../state/state.ts';
import { type MetricRow, silentTelemetry, type Telemetry } from '../../telemetry/telemetry.ts';
import type { Graph } from '../graph.ts';
import type { HttpSettings } from '../nodes/http-call.ts';
import { checkBalance } from './balance.ts';
import { InnerLives } from './inner-lives.ts';
import { failedIn, namedFailure } from './named-failure.ts';
import { inputTopics, putInput } from './realtime-input.ts';
import { type Connections, collected, targetOf } from './results.ts';
import { type Counted, countedOf } from './segment-figures.ts';
import type { Segment, SegmentFigures, SegmentProgram, StartForRecord } from './segments.ts';

/** Where segments run. */
export interface SegmentHost {
  readonly log: Log;
  /** The same log, where topics of runs lie in lanes; without it every run has topics of its own. */
  readonly lanes?: Log;
  readonly state: StateBackend;
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly connections?: Connections;
  /** What exports may reach; default: no internal address. */
  readonly http?: HttpSettings;
  readonly settings?: Partial<RunSettings>;
  /** How often figures are told at most while no status changes; default {@link TELL_EVERY_MS}. */
  readonly tellEveryMs?: Millis;
}

const TELL_EVERY_MS: Millis = 10_000;

export interface SegmentTask {
  readonly segment: Segment;
  readonly graph: Graph;
  /** Of the run; see {@link segmentName}. */
  readonly name: string;
  readonly mode: Mode;
  /** It has topics of its own, as a streaming run always has. */
  readonly dedicated?: boolean;
  readonly input: Json;
  readonly values: { readonly [port: string]: Json };
  /** What its dead letters say of it, each name a header `nf.<name>`. */
  readonly told?: { readonly [name: string]: string };
  /** Aborted: it stops, and rejects with the reason. What it has is there until it is forgotten. */
  readonly cancel: AbortSignal;
  /** Aborted: the process stops; another goes on from what is committed. */
  readonly stop?: AbortSignal;
  /** Of streaming runs, aborted: what is there is the whole. */
  readonly end?: AbortSignal;
  /** Of streaming runs, aborted: it stops, and the next version goes on under the same name. */
  readonly savepoint?: AbortSignal;
  /**
   * Told when all begins, when inner nodes have passed their ends, and between these where counters have changed since,
   * at bounded intervals: as often as there are nodes, at most, and as time goes by, whatever the number of records.
   */
  progress?(figures: SegmentFigures): void;
  readonly startForRecord?: StartForRecord;
}

export interface SegmentResult {
  readonly how: 'complete' | 'savepoint' | 'stopped';
  /** Values of its collects, by node and port: `all.out`. */
  readonly outputs: { readonly [port: string]: Json };
  readonly figures: SegmentFigures;
}

/** How long what a run has done waits for its commit at most, where its host says nothing else. */
export const SEGMENT_COMMIT_MS: { readonly [mode in Mode]: Millis } = { realtime: 10, batch: 20, streaming: 20 };

/** Records between two turns: the control plane runs in this thread too, and waits for its turn as long. */
const SEGMENT_SLICE_RECORDS = 512;

const PLAIN_NAME = /^wf\.[\w-]+\.[\w-]+$/;
/** Records that segments give up: of all runs, and there still when these are forgotten. */
export const SEGMENT_DEAD_LETTERS = 'nf.segments.dead-letters';
/** What the application of a plan may be called at most. */
const MAX_NAME = 100;

/**
 * Of an execution, the node that stands for the segment, and its iteration: another one for each. What cannot stand in a
 * name, or is too long for one, is told by a hash of the whole.
 */
export function segmentName(execution: string, node: string, iteration = ''): string {
  const plain = `wf.${execution}.${node}`;
  if (iteration === '' && plain.length <= MAX_NAME && PLAIN_NAME.test(plain)) return plain;
  const hash = createHash('sha256')
    .update(JSON.stringify([execution, node, iteration]))
    .digest('hex')
    .slice(0, 16);
  const parts = [execution, iteration, node].filter((part) => part !== '');
  const readable = `wf.${parts.join('-').replaceAll(/[^\w-]/g, '-')}`;
  return `${readable.slice(0, MAX_NAME - 1 - hash.length)}-${hash}`;
}

/** The execution, or the run, whose topics share a lane: the first part of the name that {@link segmentName} gives. */
export function runOfTopic(topic: string): string | undefined {
  return /^(?:nf\.)?(wf\.[\w-]+)\./.exec(topic)?.[1];
}

/** Runs a segment to its end, or goes on with it where it was begun. */
export async function runSegment(host: SegmentHost, task: SegmentTask): Promise<SegmentResult> {
  return new SegmentRunning(host, task).run();
}

/** Takes away the topics, the group and the stores of a run, when nobody will ask for its results again. Twice is as once. */
export async function forgetSegment(
  { log: below, lanes: log = below, directory }: Pick<SegmentHost, 'log' | 'lanes' | 'directory'>,
  name: string,
): Promise<void> {
  const outputs = (await log.admin.list()).filter((topic) => topic.startsWith(`${name}.`));
  await forgetApplication({ application: name, outputs, log, directory });
  if (directory !== undefined) await rm(join(directory, name), { recursive: true, force: true });
}

function isNew(now: SegmentFigures, before: SegmentFigures): boolean {
  return !isDeepStrictEqual(now.nodes, before.nodes) || !isDeepStrictEqual(now.edges, before.edges);
}

const labelsOf = ({ labels: { task, node, input, reason } }: MetricRow) => [task, node, input, reason];

function ownFigures({ telemetry }: SegmentHost): Telemetry {
  return { ...silentTelemetry(), log: telemetry.log };
}

class SegmentRunning {
  readonly #host: SegmentHost;
  readonly #task: SegmentTask;
  readonly #made: SegmentProgram;
  /** Of the run that goes on, with figures of its own, so that they can be told apart; lines go where all go. */
  #telemetry: Telemetry;
  /** What is committed of before it, of tasks that it has not opened. */
  #before: readonly MetricRow[] = [];
  readonly #lives: InnerLives;
  /** A process has been at it before. */
  #isBegun = false;
  #run: Run | undefined;
  #countedAt: Millis = 0;

  constructor(host: SegmentHost, task: SegmentTask) {
    const isOwn = task.mode === 'streaming' || task.dedicated === true;
    this.#host = isOwn ? host : { ...host, log: host.lanes ?? host.log };
    this.#task = task;
    const { segment, graph, name, input, values, startForRecord } = task;
    const starts = startForRecord === undefined ? {} : { startForRecord };
    this.#made = segment.program({ name, graph, input, values, topics: inputTopics(task), ...starts });
    this.#telemetry = ownFigures(host);
    this.#lives = new InnerLives(graph, segment.nodes, this.#made);
  }

  async run(): Promise<SegmentResult> {
    const { log } = this.#host;
    const { mode, cancel, end } = this.#task;
    cancel.throwIfAborted();
    await putInput(log, this.#task);
    let continued = false;
    if (!(await this.#isComplete())) {
      // what was asked for its end before has an end already, which is not to be gone beyond
      const until = mode === 'streaming' && end?.aborted !== true ? 'drained' : 'end';
      const how = await this.#live(until).catch((thrown: unknown) => {
        throw namedFailure(thrown, this.#task.graph, this.#made.owners);
      });
      continued = this.#run!.continued;
      if (how !== 'complete') return { how, outputs: {}, figures: this.#figures() };
    } else {
      continued = true;
      this.#before = await committedCounts(log, this.#made.program.plan);
    }
    try {
      return await this.#results(continued || mode === 'streaming');
    } catch (thrown) {
      if (!cancel.aborted) this.#task.progress?.(this.#figures());
      throw thrown;
    }
  }

  async #isComplete(): Promise<boolean> {
    const { log, clock } = this.#host;
    const { name } = this.#task;
    if ((await log.admin.describe(ledgerTopic(name))) === undefined) return false;
    const ledger = await Ledger.open(log, name, clock);
    await ledger.close();
    this.#isBegun = ledger.run !== undefined;
    return ledger.run?.complete === true;
  }

  /** One run of the application; of a streaming one that is asked for its end, a second one up to there. */
  async #live(until: 'drained' | 'end'): Promise<SegmentResult['how']> {
    const host = this.#host;
    const { cancel, stop, end, savepoint } = this.#task;
    const { log, state, directory, clock } = host;
    const run = await startRun({
      ...{ program: this.#made.program, log, state, directory, clock, telemetry: this.#telemetry },
      settings: {
        ...DEFAULT_SETTINGS,
        commitIntervalMs: SEGMENT_COMMIT_MS[this.#task.mode],
        sliceRecords: SEGMENT_SLICE_RECORDS,
        deadLetters: SEGMENT_DEAD_LETTERS,
        keepCounts: true,
        letterWords: { told: this.#task.told ?? {}, owners: Object.fromEntries(this.#made.owners) },
        ...host.settings,
        ...this.#policy(),
        workers: 1,
        until,
      },
    });
    this.#run = run;
    if (this.#isBegun) {
      this.#before = await committedCounts(log, this.#made.program.plan).catch(async (thrown: unknown) => {
        await run.drain();
        throw thrown;
      });
    }
    const exports = until === 'drained' ? this.#follow() : undefined;
    const lives = this.#tell();
    const leave = () => void run.drain();
    const signals = [cancel, stop, savepoint, ...(until === 'drained' ? [end] : [])].filter(
      (each) => each !== undefined,
    );
    for (const each of signals) each.addEventListener('abort', leave, { once: true });
    if (signals.some(({ aborted }) => aborted)) leave();
    let isComplete = false;
    try {
      const { how } = await Promise.race([run.finished, ...(exports === undefined ? [] : [exports.failed])]);
      isComplete = how === 'complete';
      if (isComplete) return 'complete';
    } finally {
      for (const each of signals) each.removeEventListener('abort', leave);
      try {
        // of a run that has failed it says so once more
        await run.drain();
      } finally {
        await exports?.stop();
        await lives(!isComplete);
      }
    }
    cancel.throwIfAborted();
    if (stop?.aborted === true) return 'stopped';
    if (savepoint?.aborted === true) return 'savepoint';
    this.#before = this.#rows();
    this.#telemetry = ownFigures(host);
    return this.#live('end');
  }

  #policy(): Partial<RunSettings> {
    const { graph, segment } = this.#task;
    const keeps = segment.nodes.some((number) => graph.nodes[number]!.onError === 'dead-letter');
    return keeps ? { onFailure: 'dead-letter' } : {};
  }

  /** Exports that go on beside a streaming run. */
  #follow(): { readonly failed: Promise<never>; stop(): Promise<void> } {
    const stop = new AbortController();
    const running = this.#made.exports.map((each) => this.#export(each, stop.signal));
    const failed = new Promise<never>((_, reject) => {
      for (const each of running) each.catch(reject);
    });
    failed.catch(() => undefined);
    return {
      failed,
      async stop() {
        stop.abort();
        await Promise.allSettled(running);
      },
    };
  }

  async #export(each: SegmentProgram['exports'][number], stop?: AbortSignal): Promise<Exported> {
    const { log, clock } = this.#host;
    const until = stop === undefined ? ({ until: 'end' } as const) : { stop };
    try {
      const target = targetOf(each.node, each.target, this.#host);
      return await runExport({ log, clock, topic: each.topic, target, ...until });
    } catch (thrown) {
      throw failedIn(thrown, this.#task.graph, each.node);
    }
  }

  /** Follows the ends of tasks, and tells what changes by them; answers what ends that, with a last word where wanted. */
  #tell(): (last: boolean) => Promise<void> {
    const { log, clock, tellEveryMs = TELL_EVERY_MS } = this.#host;
    const stop = new AbortController();
    let toldAt = clock.monotonic();
    let told = this.#figures();
    const tell = () => {
      toldAt = clock.monotonic();
      told = this.#figures();
      this.#task.progress?.(told);
    };
    tell();
    const following = (async () => {
      const ledger = await Ledger.open(log, this.#task.name, clock);
      try {
        while (!stop.signal.aborted) {
          if (this.#lives.see(ledger, this.#telemetry.snapshot())) tell();
          else if (clock.monotonic() - toldAt >= tellEveryMs && isNew(this.#figures(), told)) tell();
          await ledger.poll(Math.min(500, tellEveryMs), stop.signal);
        }
      } finally {
        await ledger.close();
      }
    })();
    return async (last) => {
      stop.abort();
      await following.catch(() => undefined);
      if (last && isNew(this.#figures(), told)) tell();
    };
  }

  #counted(): Counted {
    const { graph, segment } = this.#task;
    return countedOf(graph, segment.nodes, this.#made, this.#rows());
  }

  /** Of each task as it is, where it is open here, else as it was left. */
  #rows(): readonly MetricRow[] {
    const isCount = ({ name }: MetricRow) => COUNTED_METRICS.some((each) => each === name);
    const own = this.#telemetry.snapshot().filter(isCount);
    const rows = [...this.#before, ...own];
    return [...new Map(rows.map((row) => [JSON.stringify([row.name, labelsOf(row)]), row])).values()];
  }

  #figures(counted = this.#counted()): SegmentFigures {
    const nodes = Object.entries(counted.nodes).map(([id, each]) => [id, { status: this.#lives.status(id), ...each }]);
    this.#countedAt = Math.max(this.#countedAt + 1, this.#host.clock.now());
    return {
      ...{ at: this.#countedAt, nodes: Object.fromEntries(nodes), edges: counted.edges },
      share: this.#run?.progress().share,
    };
  }

  async #results(isPart: boolean): Promise<SegmentResult> {
    const { log } = this.#host;
    const { graph, segment, cancel } = this.#task;
    const read = new Map<string, number>();
    const outputs: { [port: string]: Json } = {};
    for (const each of this.#made.collects) {
      const { value, records } = await collected(log, each).catch((thrown: unknown) => {
        throw failedIn(thrown, graph, each.node);
      });
      outputs[`${each.node}.out`] = value;
      read.set(each.node, records);
    }
    for (const { node, how, records } of await Promise.all(
      this.#made.exports.map(async (each) => ({ node: each.node, ...(await this.#export(each)) })),
    )) {
      if (how === 'complete' && !isPart) read.set(node, records);
    }
    cancel.throwIfAborted();
    this.#lives.endAll();
    const counted = this.#counted();
    if (!isPart) checkBalance(graph, segment.nodes, this.#made, counted, read);
    return { how: 'complete', outputs, figures: { ...this.#figures(counted), share: 1 } };
  }
}
