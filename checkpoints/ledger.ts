import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { type Json, type Millis, type Position, partitionName } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import type { Log, LogReader } from '../log/log.ts';
import { PLAN_KEY, type StoredPlan, storedPlanOf } from './stored-plan.ts';

/** One row of the ledger: the newest per key counts. */
export interface LedgerRow {
  readonly key: string;
  readonly at: Millis;
  readonly value: Json;
}

/** Ends of partitions by `topic/partition`. */
export type TopicEnds = { readonly [partition: string]: Position };

interface RunValue {
  readonly run: number;
  /** Of a bounded run: all its tasks have ended. */
  readonly complete: boolean;
  readonly ends: TopicEnds;
  /** It goes on until it is stopped. Rows from before there were such have it not: they are of bounded runs. */
  readonly endless?: boolean;
}

interface TaskValue {
  readonly run: number;
  readonly ends: TopicEnds;
  /** Topics that the task writes no more, where it has not ended itself. */
  readonly topics?: readonly string[];
}

export function ledgerTopic(application: string): string {
  return `nf.${application}.run`;
}

/**
 * Who has ended, and where. A bounded run ends task by task: a task whose inputs have all ended flushes, and
 * writes into its last transaction the ends of every partition it writes (their uncommitted end, once all its
 * appends are answered: nothing it ever wrote lies behind). A reader of a topic knows the topic's end when all
 * tasks that write it have ended, or have said so of that topic: where stages feed each other though no record turns,
 * a topic between them ends before the tasks do. Ends of topics that were there before the run stand in the row of the run, so
 * that a restart reads to the same place. A run that goes on until it is stopped has a row too, without ends: behind a
 * bounded one it is another run. There only tasks end that read a connector to its end; what they write is known to be
 * there then, and read on, since others may write it too.
 *
 * It also keeps the plan that the application's state belongs to, for the next one to be held against.
 */
export class Ledger {
  readonly #topic: string;
  readonly #reader: LogReader;
  readonly #clock: Clock;
  readonly #view = new BatchView();
  readonly #tasks = new Map<string, TaskValue>();
  #run: RunValue | undefined;
  #plan: unknown;
  #next: Position;

  private constructor(log: Log, topic: string, start: Position, clock: Clock) {
    this.#topic = topic;
    this.#next = start;
    this.#reader = log.reader({ isolation: 'committed' });
    this.#reader.assign([{ topic, partition: 0, position: start }]);
    this.#clock = clock;
  }

  /** Reads the ledger to its end. Its topic exists by now. */
  static async open(log: Log, application: string, clock: Clock): Promise<Ledger> {
    const topic = ledgerTopic(application);
    const { start, stable } = await log.admin.bounds(topic, 0);
    const ledger = new Ledger(log, topic, start, clock);
    try {
      while (ledger.#next < stable) await ledger.poll(1000);
    } catch (thrown) {
      await ledger.close();
      throw thrown;
    }
    return ledger;
  }

  /** The current run, or `undefined` before the first. */
  get run(): RunValue | undefined {
    return this.#run;
  }

  /** The plan that was stored last; `undefined` before the first. */
  get plan(): StoredPlan | undefined {
    return this.#plan === undefined ? undefined : storedPlanOf(this.#topic, this.#plan);
  }

  /**
   * The ends that a task of the current run has left, or `undefined` while it has not ended. With a topic, it need only
   * have said that it writes this one no more.
   */
  ended(task: string, topic?: string): TopicEnds | undefined {
    const row = this.#tasks.get(task);
    if (row === undefined || row.run !== this.#run?.run) return undefined;
    return row.topics === undefined || (topic !== undefined && row.topics.includes(topic)) ? row.ends : undefined;
  }

  /** Takes in what has come; waits up to `maxWaitMs`. Answers whether anything was new. */
  async poll(maxWaitMs: Millis, signal?: AbortSignal): Promise<boolean> {
    let news = false;
    for (const fetched of await this.#reader.fetch(maxWaitMs, signal)) {
      const view = this.#view;
      for (let b = 0; b < fetched.starts.length; b++) {
        view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
        for (let i = 0; i < view.count; i++) {
          if (view.positions[i]! < this.#next) continue;
          this.#take(
            view.bytes.toString('utf8', view.keyStarts[i]!, view.keyEnds[i]!),
            view.bytes.toString('utf8', view.valueStarts[i]!, view.valueEnds[i]!),
          );
          news = true;
        }
      }
      this.#next = fetched.next;
      fetched.release();
    }
    return news;
  }

  /** `topics`: those that it writes no more, where it goes on. */
  taskRow(task: string, ends: TopicEnds, topics?: readonly string[]): LedgerRow {
    const run = this.#run;
    if (run === undefined) throw new FlowError('stopped', 'no run has begun');
    return {
      key: `task/${task}`,
      at: this.#clock.now(),
      value: { run: run.run, ends, ...(topics === undefined ? {} : { topics }) },
    };
  }

  runRow({ run, complete, ends, endless }: RunValue): LedgerRow {
    return { key: 'run', at: this.#clock.now(), value: { run, complete, ends, ...(endless ? { endless } : {}) } };
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  /**
   * The ends of a topic written by these tasks: for each partition the furthest, 0 where nothing was written;
   * `undefined` while one of them has not ended.
   */
  topicEnds(topic: string, partitions: number, writers: readonly string[]): readonly Position[] | undefined {
    const ends = new Array<Position>(partitions).fill(0);
    for (const writer of writers) {
      const left = this.ended(writer, topic);
      if (left === undefined) return undefined;
      for (let p = 0; p < partitions; p++) ends[p] = Math.max(ends[p]!, left[partitionName(topic, p)] ?? 0);
    }
    return ends;
  }

  #take(key: string, text: string): void {
    const value: unknown = JSON.parse(text);
    if (key === 'run') this.#run = value as RunValue;
    else if (key === PLAN_KEY) this.#plan = value;
    else this.#tasks.set(key.slice('task/'.length), value as TaskValue);
  }
}
