import type { EpochPart, Guarantee } from '../../checkpoints/checkpoints.ts';
import { Outputs } from '../../checkpoints/checkpoints.ts';
import { systemClock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { setFailpointHook } from '../../core/failpoints.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import type { GroupIdentity, LogProducer } from '../../log/log.ts';
import type { Feed } from '../../runtime/feed.ts';
import type { RunningTask } from '../../runtime/running-task.ts';
import { DEFAULT_SETTINGS } from '../../runtime/runtime.ts';
import type { Trimmer } from '../../runtime/trimmer.ts';
import { Wake } from '../../runtime/wake.ts';
import { Worker } from '../../runtime/worker.ts';

export interface BenchOptions {
  readonly guarantee?: Guarantee;
  /** Without it only where the worker is asked. */
  readonly commitIntervalMs?: number;
  /** How the log answers the first commit. */
  readonly firstCommit?: 'log.timeout' | 'log.fenced';
}

const LONG_MS = 3_600_000;

/**
 * A worker of the engine with its commit protocol, whose log, tasks and feed do no more than note what is asked of
 * them: the order of calls, and what comes of an answer that is missing.
 */
export class WorkerBench {
  /** What happened, in order: `prepare t0`, `append`, `positions`, `commit`, failpoints, `close t0`, `discard t0`. */
  readonly events: string[] = [];
  readonly worker: Worker;
  readonly #outputs: Outputs;
  readonly #options: BenchOptions;
  readonly #working = new Set<string>();
  #generation = 1;
  #commits = 0;
  readonly #finished: Promise<void>;

  constructor(options: BenchOptions) {
    this.#options = options;
    const step = new Step();
    const wake = new Wake(systemClock);
    this.#outputs = new Outputs(step, 1 << 16);
    setFailpointHook((name) => this.events.push(name));
    const { guarantee = 'exactly-once', commitIntervalMs = LONG_MS } = options;
    this.worker = new Worker({
      ...{ clock: systemClock, step, wake, outputs: this.#outputs, ledgerTopic: 'ledger' },
      settings: { ...DEFAULT_SETTINGS, guarantee, commitIntervalMs },
      producer: this.#producer(),
      renewProducer: async () => {
        this.events.push('renew');
        return this.#producer();
      },
      feed: IDLE as unknown as Feed,
      trimmer: IDLE as unknown as Trimmer,
      open: async (task) => this.#open(task),
      read: async () => [],
      isEnded: () => false,
      onRebuild: () => undefined,
      alone: false,
      setApart: () => undefined,
      wentWell: () => undefined,
      onEnd: async () => undefined,
    });
    this.#finished = this.worker.run();
  }

  /** Gives tasks to the worker, each with something to commit, and an output that is on its way. */
  async assign(...tasks: readonly string[]): Promise<void> {
    for (const task of tasks) this.#working.add(task);
    const builder = new BatchBuilder(new Step());
    builder.append(0, EMPTY, 0, 0, EMPTY, 0, 0);
    this.#outputs.pass('out', 0, builder.finish(), 1);
    await this.worker.assign(this.#identity(), tasks);
    await this.until(() => this.worker.ready);
  }

  /** Takes all tasks but these away, without asking. */
  async lose(...kept: readonly string[]): Promise<void> {
    this.#generation++;
    await this.worker.assign(this.#identity(), kept);
    await this.until(() => this.worker.ready);
  }

  async until(reached: () => boolean): Promise<void> {
    for (let turns = 0; !reached(); turns++) {
      if (turns > MOST_TURNS) throw new Error(`the worker came only to ${this.events.join(', ')}`);
      await systemClock.turn();
    }
  }

  async stop(): Promise<void> {
    this.worker.stop();
    try {
      await this.#finished;
    } catch (thrown) {
      if (!isFlowError(thrown)) throw thrown;
    } finally {
      setFailpointHook(undefined);
    }
  }

  #identity(): GroupIdentity {
    return { group: 'bench', member: 'bench', generation: this.#generation };
  }

  #producer(): LogProducer {
    return {
      append: async () => {
        this.events.push('append');
        return 0;
      },
      begin: () => undefined,
      sendPositions: async () => {
        this.events.push('positions');
      },
      commit: async () => {
        this.events.push('commit');
        if (++this.#commits > 1 || this.#options.firstCommit === undefined) return;
        throw new FlowError(this.#options.firstCommit, 'the bench says so');
      },
      abort: async () => {
        this.events.push('abort');
      },
      close: async () => undefined,
    };
  }

  #open(id: string): RunningTask {
    this.events.push(`open ${id}`);
    const state = {
      overBudget: false,
      unwrittenSince: undefined,
      unpin: () => undefined,
      committed: () => this.events.push(`clean ${id}`),
    };
    const task = {
      ...{ id, state, worked: false, finished: false, records: 0, inputs: [] },
      open: () => undefined,
      wallTime: () => undefined,
      run: () => {
        if (this.#working.delete(id)) task.worked = true;
        this.events.push(`run ${id}`);
        return 'idle';
      },
    };
    const ended = (how: string) => async () => {
      this.events.push(`${how} ${id}`);
    };
    return {
      ...{ task, topics: [], split: undefined, nodes: [], changelogEnd: undefined },
      part: () => this.#part(id, state),
      committed: () => undefined,
      close: ended('close'),
      discard: ended('discard'),
    } as unknown as RunningTask;
  }

  #part(task: string, state: unknown): EpochPart {
    this.events.push(`prepare ${task}`);
    const cut = { rows: 0, bytes: 0, forEach: () => undefined };
    const positions = [{ topic: 'in', partition: 0, position: 1, metadata: '' }];
    return {
      task,
      state,
      cut,
      partition: 0,
      changelog: () => 'changes',
      positions,
      ended: undefined,
    } as unknown as EpochPart;
  }
}

const MOST_TURNS = 10_000;
const EMPTY = Buffer.alloc(0);
const IDLE = {
  add: () => undefined,
  remove: () => undefined,
  pump: () => undefined,
  balance: () => undefined,
  trim: () => undefined,
  committed: () => undefined,
  close: async () => undefined,
};
