import { createHash } from 'node:crypto';
import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Json, Millis } from '../../core/ids.ts';
import type { Outputs } from '../catalog.ts';
import type { Graph } from '../graph.ts';
import { GRACE_MS } from '../lifecycle/lifecycle.ts';
import type { SegmentConfig } from '../segments/collapse.ts';
import { forgetSegment, runSegment, type SegmentHost, segmentName } from '../segments/segments.ts';
import { idsForRecords } from './execution-ids.ts';
import { Gate } from './gate.ts';
import type { ClearMessage, TaskMessage } from './messages.ts';
import type { RecordStarts, RecordsOf } from './record-starts.ts';

/** Between attempts to take away what a run has left. */
const CLEAR_PAUSE_MS: Millis = 500;
const LONGEST_CLEAR_PAUSE_MS: Millis = 60_000;
/** Runs whose leftovers are taken away at a time. */
const CLEARED_AT_ONCE = 8;

export interface SegmentCallsParts {
  readonly host: SegmentHost;
  /** The graph of a definition, by the hash of its document. */
  graph(hash: string): Promise<Graph>;
  /** Starts what nodes of segments start for their records. */
  readonly records: Pick<RecordStarts, 'run'>;
  /** Whether it is to go still: nothing has begun under its name since. */
  isLeft(message: ClearMessage): Promise<boolean>;
}

export interface AskedOfSegment {
  /** Aborted with `stopped` where another process goes on, and else where the run is cancelled. */
  readonly signal: AbortSignal;
  /** Aborted where what is there is the whole. */
  readonly end: AbortSignal;
  /** Aborted where it is to stop, and to keep what it has. */
  readonly savepoint: AbortSignal;
}

/** What a call gives, and its last word on how far it has come. */
export interface Answered {
  readonly outputs: Outputs;
  readonly progress?: Json;
}

/** Runs of segments in this process, as tasks: of each execution, node and iteration one, whatever the attempt. */
export class SegmentCalls {
  readonly #parts: SegmentCallsParts;
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  /** Ends of what goes on, by the names of runs. */
  readonly #byName = new Map<string, Promise<void>>();
  /** What calls have started for their records. */
  readonly #started = new WeakMap<TaskMessage, RecordsOf['open']>();
  readonly #clearing = new Gate(CLEARED_AT_ONCE);

  constructor(parts: SegmentCallsParts) {
    this.#parts = parts;
  }

  /** `progress` is told the figures as they come; the last ones are in the answer. */
  async run(task: TaskMessage, asked: AskedOfSegment, progress: (value: Json) => void): Promise<Answered> {
    const running = this.#run(task, asked, progress);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /**
   * Of a call that is cancelled: resolves when what it has started for records has ended, which is cancelled too, or when
   * that has had its grace, or this is closed.
   */
  async left(task: TaskMessage): Promise<void> {
    const open = this.#started.get(task);
    if (open === undefined || open.size === 0) return;
    const over = new AbortController();
    const grace = this.#parts.host.clock.sleep(GRACE_MS, AbortSignal.any([this.#closing.signal, over.signal]));
    await Promise.race([Promise.all(open), grace]);
    over.abort();
  }

  /**
   * Takes away what a run has left that is over; resolves when it is gone, or was taken up by another run. `lost`: whoever
   * goes on does that.
   */
  async clear(message: ClearMessage, lost: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, lost]);
    const { host } = this.#parts;
    const { clear: name } = message;
    for (let pauseMs = CLEAR_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_CLEAR_PAUSE_MS)) {
      try {
        await this.#clearing.pass(() => this.#cleared(message));
        return;
      } catch (thrown) {
        const reason = messageOf(thrown);
        host.telemetry.log.warn({ segment: name, reason, pauseMs }, 'what a segment has left is not removed yet');
      }
      await host.clock.sleep(pauseMs, signal);
    }
    throw new FlowError('stopped', `what ${name} has left is removed by whoever goes on`);
  }

  async #cleared(message: ClearMessage): Promise<void> {
    const over = await this.#alone(message.clear);
    try {
      if (await this.#parts.isLeft(message)) await forgetSegment(this.#parts.host, message.clear);
    } finally {
      over();
    }
  }

  /** Resolves when none runs, and the lanes of the host are closed. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    await this.#parts.host.lanes?.close();
  }

  async #run(task: TaskMessage, asked: AskedOfSegment, progress: (value: Json) => void): Promise<Answered> {
    const { signal, end, savepoint } = asked;
    const { definition, segment: number, input } = task.config as unknown as SegmentConfig;
    const { records, document } = await this.#parts.graph(definition);
    const segment = records?.segments[number];
    if (records === undefined || segment === undefined) {
      throw new FlowError('workflow.unknown-definition', `${task.x} runs a segment of a document that has changed`);
    }
    const [cancel, stop] = [new AbortController(), new AbortController()];
    const leave = () => {
      if (savepoint.aborted || isFlowError(signal.reason, 'stopped')) stop.abort();
      else cancel.abort(signal.reason);
    };
    const name = segmentName(task.o ?? task.x, task.node, task.i);
    // of an attempt before, or of the execution that this one goes on from
    const over = await this.#alone(name);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    try {
      cancel.signal.throwIfAborted();
      const begun = await this.#begun(task, name);
      if (savepoint.aborted) throw atSavepoint(task);
      const of = recordsOf(task, records.graph, begun, cancel.signal);
      this.#started.set(task, of.open);
      const { how, outputs, figures } = await runSegment(this.#parts.host, {
        ...{ segment, graph: records.graph, name, input, values: task.inputs },
        mode: task.m,
        ...(document.dedicated === true ? { dedicated: true } : {}),
        told: {
          ...{ execution: task.x, workflow: document.id, segment: task.node },
          ...(task.i === '' ? {} : { iteration: task.i }),
        },
        cancel: cancel.signal,
        stop: stop.signal,
        end,
        savepoint,
        progress: (told) => progress(told as unknown as Json),
        startForRecord: (start, call) => this.#parts.records.run(of, start, call),
      });
      if (how === 'savepoint') throw atSavepoint(task);
      if (how !== 'complete') throw new FlowError('stopped', `the segment of ${task.node} goes on elsewhere`);
      return { outputs, progress: figures as unknown as Json };
    } finally {
      signal.removeEventListener('abort', leave);
      over();
    }
  }

  /**
   * Resolves when nothing else of that name goes on; what it answers says that this is over. What is begun here stays in
   * the way of others of the name until then.
   */
  async #alone(name: string): Promise<() => void> {
    for (let before = this.#byName.get(name); before !== undefined; before = this.#byName.get(name)) await before;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#byName.set(name, promise);
    return () => {
      this.#byName.delete(name);
      resolve();
    };
  }

  /**
   * A run that was begun again by hand has nothing of the one before. A topic says that this was seen to, for a call that
   * is made again goes on with what it has done; what it is called by tells the run from those before, and '' the first.
   */
  async #begun(task: TaskMessage, name: string): Promise<string> {
    const resume = task.resume as { readonly number: number } | null;
    // within a container that was begun again there is no row of before to say so
    const isAgain = resume === null ? task.i !== '' && task.a > 1 : resume.number === 0;
    const { host } = this.#parts;
    const { admin } = host.lanes ?? host.log;
    const prefix = `${name}.begun-`;
    if (!isAgain) {
      if (resume === null && task.o === undefined) return '';
      const mark = (await admin.list()).find((topic) => topic.startsWith(prefix));
      return mark?.slice(prefix.length) ?? '';
    }
    const begun = createHash('sha256').update(`${task.x} ${task.a}`).digest('hex').slice(0, 16);
    if ((await admin.describe(`${prefix}${begun}`)) !== undefined) return begun;
    await forgetSegment(host, name);
    await admin.create(`${prefix}${begun}`, { partitions: 1 });
    return begun;
  }
}

function atSavepoint({ node }: TaskMessage): FlowError {
  return new FlowError('stopped', `the segment of ${node} has stopped at a savepoint`);
}

function recordsOf(task: TaskMessage, graph: Graph, begun: string, signal: AbortSignal): RecordsOf {
  const { x: execution, o: first = execution, i: iteration } = task;
  const which = begun === '' ? '' : `${begun}-`;
  return {
    ...{ execution, iteration, signal, open: new Set() },
    ids: (node) => `${idsForRecords(first, graph.nodes[node]!.id, iteration)}${which}`,
  };
}
