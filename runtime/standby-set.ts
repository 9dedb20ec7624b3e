import type { Clock } from '../core/clock.ts';
import { isFlowError, messageOf } from '../core/errors.ts';
import { type Millis, partitionName } from '../core/ids.ts';
import type { Fetched, LogReader } from '../log/log.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import type { MetricSet } from './metrics.ts';
import type { Standby, StoreFigures } from './standby.ts';

export interface StandbySetParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricSet;
  open(task: string): Promise<Standby>;
  /** A committed reader; asked for when there is something to read. */
  reader(): LogReader;
}

const FETCH_MS: Millis = 500;
/** A worker without standbys looks up once in a while, and when it is given some. */
const IDLE_MS: Millis = 60_000;
/** How long a standby that failed rests, at first and at most. */
const FIRST_REST_MS: Millis = 1000;
const LONGEST_REST_MS: Millis = 30_000;

/**
 * The standbys of one worker: a loop of its own beside that of the tasks, since nothing that a standby does may hold
 * up or end a task. What goes wrong with one is told, and it is opened again after a rest.
 *
 * A folder has one owner: a task is opened only when its standby has been {@link released}. The other way round the
 * store is still locked for a moment, and the standby comes at its next try.
 */
export class StandbySet {
  readonly #parts: StandbySetParts;
  readonly #open = new Map<string, Standby>();
  /** Who takes what comes of a partition. */
  readonly #takers = new Map<string, Standby>();
  readonly #ends = new Map<string, () => void>();
  readonly #rests = new Map<string, { readonly until: number; readonly ms: Millis }>();
  readonly #running: Promise<void>;
  #wanted: readonly string[] = [];
  /** Being opened now. */
  #opening: string | undefined;
  #reader: LogReader | undefined;
  #wake = new AbortController();
  #waiting: (() => void)[] = [];
  #stopped = false;

  constructor(parts: StandbySetParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** Gives up all others; resolves when their folders are free. */
  async keepOnly(tasks: readonly string[]): Promise<void> {
    const [kept, others] = [true, false].map((kept) => this.#wanted.filter((task) => tasks.includes(task) === kept));
    this.hold(kept!);
    await Promise.all(others!.map((task) => this.released(task)));
  }

  /** Holds standbys of these tasks from now on, and of no others. */
  hold(tasks: readonly string[]): void {
    this.#wanted = tasks;
    for (const task of this.#rests.keys()) if (!tasks.includes(task)) this.#rests.delete(task);
    this.#wake.abort();
  }

  /** Resolves when the task's folder is free; it may not be among those to hold. */
  async released(task: string): Promise<void> {
    while (this.#open.has(task) || this.#opening === task) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  get figures(): readonly StoreFigures[] {
    return [...this.#open.values()].map(({ figures }) => figures);
  }

  /** Writes back and closes everything. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#wake = new AbortController();
      await this.#arrange();
      await this.#follow(this.#wake.signal);
    }
    for (const standby of [...this.#open.values()]) await this.#close(standby);
    await this.#reader?.close().catch(() => undefined);
  }

  /** Gives up what is not wanted any more, then opens what is. */
  async #arrange(): Promise<void> {
    for (;;) {
      for (const standby of [...this.#open.values()]) {
        if (!this.#wanted.includes(standby.task)) await this.#close(standby);
      }
      const now = this.#parts.clock.monotonic();
      const isDue = (task: string) => !this.#open.has(task) && (this.#rests.get(task)?.until ?? 0) <= now;
      const next = this.#stopped ? undefined : this.#wanted.find(isDue);
      if (next === undefined) return;
      await this.#begin(next);
    }
  }

  async #begin(task: string): Promise<void> {
    this.#opening = task;
    try {
      const standby = await this.#parts.open(task);
      this.#open.set(task, standby);
      for (const { topic, partition } of standby.partitions) {
        this.#takers.set(partitionName(topic, partition), standby);
      }
      this.#reader ??= this.#parts.reader();
      this.#reader.assign(standby.partitions);
      const { metrics } = this.#parts;
      this.#ends.set(
        task,
        metrics.observe('nodeflow_standby_lag_records', { task }, () => behind(standby)),
      );
      this.#parts.log.info({ task, behind: behind(standby) }, 'standby opened');
    } catch (thrown) {
      this.#rest(task, thrown);
    } finally {
      this.#opening = undefined;
      this.#tellReleased();
    }
  }

  /** Takes what has come. Waits a little where nothing has. */
  async #follow(wake: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    if (this.#open.size === 0) {
      await clock.sleep(this.#wanted.length > 0 ? FETCH_MS : IDLE_MS, wake);
      return;
    }
    try {
      for (const fetched of await this.#reader!.fetch(FETCH_MS, wake)) await this.#take(fetched);
    } catch (thrown) {
      // which of them it was is found when they are opened again
      for (const standby of [...this.#open.values()]) await this.#fail(standby, thrown);
    }
    for (const standby of [...this.#open.values()]) {
      await standby.writeBack().catch((thrown: unknown) => this.#fail(standby, thrown));
    }
  }

  async #take(fetched: Fetched): Promise<void> {
    const standby = this.#takers.get(partitionName(fetched.topic, fetched.partition));
    try {
      if (standby === undefined) return;
      const { task } = standby;
      this.#parts.metrics.counter('nodeflow_standby_records_total', { task }).value += standby.take(fetched);
      this.#rests.delete(task);
    } catch (thrown) {
      await this.#fail(standby!, thrown);
    } finally {
      fetched.release();
    }
    // the tasks of the worker have the same thread
    await this.#parts.clock.turn();
  }

  async #close(standby: Standby): Promise<void> {
    this.#forget(standby);
    try {
      await standby.close();
      this.#parts.log.info({ task: standby.task, behind: behind(standby) }, 'standby closed');
    } catch (thrown) {
      this.#parts.log.warn({ task: standby.task }, `a standby was not closed well: ${messageOf(thrown)}`);
    }
    this.#open.delete(standby.task);
    this.#tellReleased();
  }

  async #fail(standby: Standby, thrown: unknown): Promise<void> {
    if (!this.#open.has(standby.task)) return;
    this.#forget(standby);
    await standby.discard().catch(() => undefined);
    this.#open.delete(standby.task);
    this.#rest(standby.task, thrown);
    this.#tellReleased();
  }

  /** Nothing more comes for it. */
  #forget(standby: Standby): void {
    this.#reader?.unassign(standby.partitions);
    for (const { topic, partition } of standby.partitions) this.#takers.delete(partitionName(topic, partition));
    this.#ends.get(standby.task)?.();
    this.#ends.delete(standby.task);
  }

  #rest(task: string, thrown: unknown): void {
    if (this.#stopped || !this.#wanted.includes(task)) return;
    const ms = Math.min(LONGEST_REST_MS, 2 * (this.#rests.get(task)?.ms ?? FIRST_REST_MS / 2));
    this.#rests.set(task, { until: this.#parts.clock.monotonic() + ms, ms });
    // a task that has just left this process closes its store first
    if (isFlowError(thrown, 'state.locked') && ms === FIRST_REST_MS) return;
    this.#parts.log.warn({ task }, `a standby failed and is opened again in ${ms} ms: ${messageOf(thrown)}`);
  }

  #tellReleased(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function behind({ figures: { at, end } }: Standby): number {
  return end - at;
}
