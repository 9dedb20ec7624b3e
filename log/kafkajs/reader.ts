import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import { Stale } from '../kafka/error-codes.ts';
import { backOffMs } from '../kafka/retry.ts';
import type { Fetched, LogReader, ReaderOptions } from '../log.ts';
import { readBounds } from './bounds.ts';
import type { Brokers } from './brokers.ts';
import { codeOf, failureOfLibrary } from './failures.ts';
import { decodeFetched } from './fetched.ts';
import type { FetchRequest } from './library.ts';

const DEFAULT_FETCH_BYTES = 1 << 20;
/** Bytes of one answer, over all its partitions. */
const MOST_ANSWER_BYTES = 50 << 20;
/** How long a broker waits for news: so long is also what is resumed meanwhile not asked for. */
const BROKER_WAIT_MS: Millis = 100;
/** A partition that was just assigned is waited for at most so long, even where the caller would not wait. */
const FIRST_ANSWER_MS: Millis = 5000;
const OFFSET_OUT_OF_RANGE = 1;

/** A partition from the position it was assigned at; another assignment of it is another object. */
class Assigned implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  position: Position;
  paused = false;
  /** Something is asked for it. */
  busy = false;
  /** A broker has said what there is. */
  answered = false;
  ready: Fetched | undefined;
  failure: FlowError | undefined;
  tries = 0;

  constructor({ topic, partition, position }: TopicPartition & { readonly position: Position }) {
    this.topic = topic;
    this.partition = partition;
    this.name = partitionName(topic, partition);
    this.position = position;
  }

  get wants(): boolean {
    return !this.paused && !this.busy && this.ready === undefined && this.failure === undefined;
  }
}

/** Reads by the library's own Fetch, one request a broker at a time, with the next one sent while the caller works. */
export class KafkaJsReader implements LogReader {
  readonly #brokers: Brokers;
  readonly #committed: boolean;
  readonly #maxBytes: number;
  readonly #onClose: () => void;
  readonly #assigned = new Map<string, Assigned>();
  #wake: (() => void) | undefined;
  #fetching = false;
  #closed = false;

  constructor(brokers: Brokers, { isolation, maxPartitionBytes }: ReaderOptions, onClose: () => void) {
    this.#brokers = brokers;
    this.#committed = isolation === 'committed';
    this.#maxBytes = maxPartitionBytes ?? DEFAULT_FETCH_BYTES;
    this.#onClose = onClose;
  }

  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const wanted of partitions) {
      const assigned = new Assigned(wanted);
      assigned.paused = this.#assigned.get(assigned.name)?.paused ?? false;
      this.#assigned.set(assigned.name, assigned);
    }
    this.#wake?.();
  }

  unassign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned.delete(partitionName(topic, partition));
    this.#wake?.();
  }

  pause({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned !== undefined) assigned.paused = true;
  }

  resume({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined) return;
    assigned.paused = false;
    this.#wake?.();
  }

  async fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    if (this.#closed) throw new FlowError('log.closed', 'the reader was closed');
    this.#brokers.check();
    if (this.#fetching) throw new FlowError('log.unsupported', 'a reader fetches one call at a time; await the first');
    this.#fetching = true;
    try {
      return await this.#fetch(maxWaitMs, signal);
    } finally {
      this.#fetching = false;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#assigned.clear();
    this.#onClose();
    this.#wake?.();
    await this.#brokers.close();
  }

  async #fetch(maxWaitMs: Millis, signal: AbortSignal | undefined): Promise<readonly Fetched[]> {
    const { clock } = this.#brokers.shared;
    const began = clock.monotonic();
    for (;;) {
      if (this.#closed || signal?.aborted) return [];
      const all = [...this.#assigned.values()];
      for (const { failure, paused } of all) if (failure !== undefined && !paused) throw failure;
      const found = all.flatMap((assigned) => this.#take(assigned));
      void this.#ask(all.filter(({ wants }) => wants));
      if (found.length > 0) return found;
      const awaitsFirst = all.some(({ answered, paused }) => !answered && !paused);
      const left = began + (awaitsFirst ? Math.max(maxWaitMs, FIRST_ANSWER_MS) : maxWaitMs) - clock.monotonic();
      if (left <= 0) return [];
      await this.#wait(left, signal);
    }
  }

  #take(assigned: Assigned): Fetched[] {
    const { ready } = assigned;
    if (ready === undefined || assigned.paused) return [];
    assigned.ready = undefined;
    return [ready];
  }

  /** Asks each leader for what it leads of these. */
  async #ask(wanting: readonly Assigned[]): Promise<void> {
    if (wanting.length === 0) return;
    for (const assigned of wanting) assigned.busy = true;
    const groups = new Map<number, Assigned[]>();
    await Promise.all(
      wanting.map(async (assigned) => {
        try {
          const leader = await this.#brokers.leader(assigned.topic, assigned.partition);
          const group = groups.get(leader);
          if (group === undefined) groups.set(leader, [assigned]);
          else group.push(assigned);
        } catch (thrown) {
          await this.#failed([assigned], thrown);
        }
      }),
    );
    await Promise.all([...groups].map(([leader, group]) => this.#request(leader, group)));
  }

  async #request(leader: number, group: readonly Assigned[]): Promise<void> {
    try {
      const broker = await this.#brokers.broker(leader);
      const answer = await broker.fetch(this.#requestFor(group));
      const at = new Map(group.map((assigned) => [assigned.name, assigned]));
      for (const { topicName, partitions } of answer.responses) {
        for (const found of partitions) {
          const assigned = at.get(partitionName(topicName, found.partition));
          if (assigned === undefined) continue;
          const { topic, partition, position } = assigned;
          const { packed, next, end } = decodeFetched(found, position, this.#committed);
          assigned.answered = true;
          assigned.tries = 0;
          if (next === position) continue;
          assigned.position = next;
          assigned.ready = { topic, partition, ...packed, position, next, end, release: () => undefined };
        }
      }
      this.#done(group);
    } catch (thrown) {
      await this.#failed(group, thrown);
    }
  }

  #requestFor(group: readonly Assigned[]): FetchRequest {
    const topics = Map.groupBy(group, ({ topic }) => topic);
    return {
      isolationLevel: this.#committed ? 1 : 0,
      maxWaitTime: BROKER_WAIT_MS,
      minBytes: 1,
      maxBytes: Math.max(MOST_ANSWER_BYTES, this.#maxBytes),
      topics: [...topics].map(([topic, list]) => ({
        topic,
        partitions: list.map(({ partition, position }) => ({
          partition,
          fetchOffset: String(position),
          maxBytes: this.#maxBytes,
        })),
      })),
    };
  }

  /** The library throws one partition's error for all that were asked with it: each is looked at by itself. */
  async #failed(group: readonly Assigned[], thrown: unknown): Promise<void> {
    const { clock, random, closing } = this.#brokers.shared;
    const what = `reading ${group.map(({ name }) => name).join(', ')}`;
    const outside = codeOf(thrown) === OFFSET_OUT_OF_RANGE;
    for (const assigned of group) {
      if (this.#closed || this.#assigned.get(assigned.name) !== assigned) continue;
      this.#brokers.forget(assigned.topic);
      try {
        if (outside) await this.#checkRange(assigned);
        else {
          const failure = failureOfLibrary(thrown, what);
          if (failure instanceof FlowError) assigned.failure = failure;
        }
      } catch (fault) {
        if (fault instanceof FlowError) assigned.failure = fault;
        else if (!(fault instanceof Stale)) {
          assigned.failure = new FlowError('kafka.refused', `${what}: the client fails: ${String(fault)}`, {
            cause: fault,
          });
        }
      }
    }
    const tries = Math.max(...group.map((assigned) => assigned.tries++));
    await clock.sleep(backOffMs(tries, random), closing);
    this.#done(group);
  }

  async #checkRange({ topic, partition, position, name }: Assigned): Promise<void> {
    const { start, end } = await readBounds(this.#brokers, topic, partition);
    if (position >= start && position <= end) return;
    throw new FlowError(
      'log.range',
      `position ${position} of ${name} is outside of ${start} to ${end}; ` +
        'reset the position, retention may have removed it',
    );
  }

  #done(group: readonly Assigned[]): void {
    for (const assigned of group) assigned.busy = false;
    this.#wake?.();
  }

  async #wait(ms: Millis, signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController();
    const wake = () => stop.abort();
    this.#wake = wake;
    signal?.addEventListener('abort', wake, { once: true });
    await this.#brokers.shared.clock.sleep(ms, stop.signal);
    signal?.removeEventListener('abort', wake);
    this.#wake = undefined;
  }
}
