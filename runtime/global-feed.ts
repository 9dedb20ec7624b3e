import type { Clock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import type { TopicPartition } from '../core/ids.ts';
import { FOLLOW_WAIT_MS, type Log, type LogReader, type PartitionBounds } from '../log/log.ts';
import type { Budget, StateBackend } from '../state/state.ts';
import type { Logger, Telemetry } from '../telemetry/telemetry.ts';
import { GlobalTables } from './global-tables.ts';
import type { PlanIndex } from './stage.ts';

export interface GlobalFeedParts {
  readonly index: PlanIndex;
  readonly log: Log;
  readonly state: StateBackend;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly telemetry: Telemetry;
  readonly lines: Logger;
}

type Bounded = TopicPartition & PartitionBounds;

/** After the log has not answered. */
const PAUSE_MS = 200;

/**
 * Reads the topics of global tables: from their start to where they end when the worker begins, before any task does,
 * and then on, beside the tasks and at no time of theirs. It reads what is committed.
 */
export class GlobalFeed {
  readonly #parts: GlobalFeedParts;
  readonly #tables: GlobalTables;
  readonly #stop = new AbortController();
  #reader: LogReader | undefined;
  #following: Promise<void> | undefined;

  private constructor(parts: GlobalFeedParts, tables: GlobalTables) {
    this.#parts = parts;
    this.#tables = tables;
  }

  /** Resolves when all rows that are committed by now are in the tables. */
  static async open(parts: GlobalFeedParts): Promise<GlobalFeed> {
    const { index, state: backend, clock, budget, telemetry } = parts;
    const feed = new GlobalFeed(parts, await GlobalTables.open({ index, backend, clock, budget, telemetry }));
    try {
      await feed.#load();
    } catch (thrown) {
      await feed.close();
      throw thrown;
    }
    return feed;
  }

  /** By store. */
  get tables(): GlobalTables['tables'] {
    return this.#tables.tables;
  }

  /** In which they are read from outside of a task. */
  get step(): GlobalTables['step'] {
    return this.#tables.step;
  }

  async #load(): Promise<void> {
    const { index, lines } = this.#parts;
    const tables = this.#tables;
    if (index.globals.length === 0) return;
    const wanted = await this.#bounded();
    this.#reader = this.#open(wanted);
    while (wanted.some((at) => Math.max(at.start, tables.position(at)) < at.stable)) await this.#fetch();
    lines.info({ rows: tables.rows }, 'global tables loaded');
  }

  /** Goes on reading until it is closed. `onFailure` is told what goes wrong for good. */
  follow(onFailure: (failure: unknown) => void): void {
    if (this.#parts.index.globals.length > 0) this.#following = this.#run(onFailure);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#reader?.close();
    await this.#tables.close();
  }

  async #run(onFailure: (failure: unknown) => void): Promise<void> {
    const { clock, lines } = this.#parts;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#fetch();
      } catch (thrown) {
        if (this.#stop.signal.aborted) return;
        if (!isFlowError(thrown, 'log.timeout')) {
          onFailure(thrown);
          return;
        }
        lines.warn({}, `global tables lag behind their topics: ${thrown.message}`);
        await this.#reader?.close().catch(() => undefined);
        this.#reader = undefined;
        await clock.sleep(PAUSE_MS, this.#stop.signal);
      }
    }
  }

  async #fetch(): Promise<void> {
    this.#reader ??= this.#open(await this.#bounded());
    for (const fetched of await this.#reader.fetch(FOLLOW_WAIT_MS, this.#stop.signal)) {
      try {
        this.#tables.take(fetched);
      } finally {
        fetched.release();
      }
    }
  }

  #open(partitions: readonly Bounded[]): LogReader {
    const reader = this.#parts.log.reader({ isolation: 'committed' });
    reader.assign(partitions.map((at) => ({ ...at, position: Math.max(at.start, this.#tables.position(at)) })));
    return reader;
  }

  /** Where the partitions of all topics begin and end now. */
  #bounded(): Promise<readonly Bounded[]> {
    const { index, log } = this.#parts;
    const partitions = index.globals.flatMap(({ topic }) =>
      Array.from({ length: index.topics.get(topic)!.partitions }, (_, partition) => ({ topic, partition })),
    );
    return Promise.all(partitions.map(async (at) => ({ ...at, ...(await log.admin.bounds(at.topic, at.partition)) })));
  }
}
