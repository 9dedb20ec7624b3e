import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Fetched, LogReader, ReaderOptions } from '../log.ts';
import type { Faults } from './faults.ts';
import type { News } from './news.ts';
import type { Topics } from './topics.ts';

interface Assigned extends TopicPartition {
  position: Position;
  paused: boolean;
}

interface ReaderParts {
  readonly clock: Clock;
  readonly topics: Topics;
  readonly news: News;
  readonly faults: Faults;
}

export class MemoryReader implements LogReader {
  readonly #parts: ReaderParts;
  readonly #options: ReaderOptions;
  readonly #assigned = new Map<string, Assigned>();
  readonly #closing = new AbortController();
  #fetching = false;
  /** Begins one further at each fetch, so that no partition starves another. */
  #turn = 0;

  constructor(parts: ReaderParts, options: ReaderOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const { topic, partition, position } of partitions) {
      const name = partitionName(topic, partition);
      this.#assigned.set(name, { topic, partition, position, paused: this.#assigned.get(name)?.paused ?? false });
    }
    this.#parts.news.tell();
  }

  unassign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned.delete(partitionName(topic, partition));
  }

  pause({ topic, partition }: TopicPartition): void {
    this.#pause(topic, partition, true);
  }

  resume({ topic, partition }: TopicPartition): void {
    this.#pause(topic, partition, false);
    this.#parts.news.tell();
  }

  async fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    if (this.#fetching) throw new FlowError('log.unsupported', 'a reader fetches one call at a time; await the first');
    this.#fetching = true;
    try {
      return await this.#fetch(maxWaitMs, signal);
    } finally {
      this.#fetching = false;
    }
  }

  async #fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    const { clock, faults, news } = this.#parts;
    const deadline = clock.monotonic() + maxWaitMs;
    const signals = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    const stop = AbortSignal.any(signals);
    if (this.#closing.signal.aborted) throw new FlowError('log.closed', 'the reader was closed');
    await undefined;
    for (;;) {
      if (stop.aborted) return [];
      const found = this.#collect();
      if (found.length > 0) {
        if (!faults.strikes('late-answer', 'fetch')) return found.map(({ fetched }) => fetched);
        await clock.sleep(faults.lateMs);
        return found.filter(({ assigned }) => this.#holds(assigned)).map(({ fetched }) => fetched);
      }
      const left = deadline - clock.monotonic();
      if (left <= 0) return [];
      await news.wait(clock, left, stop);
    }
  }

  end({ topic, partition }: TopicPartition): Position {
    if (this.#parts.topics.describe(topic) === undefined)
      return this.#assigned.get(partitionName(topic, partition))!.position;
    const { stable, end } = this.#parts.topics.partition(topic, partition).bounds();
    return this.#options.isolation === 'committed' ? stable : end;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#assigned.clear();
  }

  #pause(topic: string, partition: number, paused: boolean): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned !== undefined) assigned.paused = paused;
  }

  /** Whether it was neither taken away nor moved. */
  #holds(assigned: Assigned): boolean {
    return this.#assigned.get(partitionName(assigned.topic, assigned.partition)) === assigned;
  }

  #collect(): { readonly assigned: Assigned; readonly fetched: Fetched }[] {
    const all = [...this.#assigned.values()];
    const found: { readonly assigned: Assigned; readonly fetched: Fetched }[] = [];
    this.#turn++;
    for (let i = 0; i < all.length; i++) {
      const assigned = all[(i + this.#turn) % all.length]!;
      if (assigned.paused) continue;
      const partition = this.#parts.topics.partition(assigned.topic, assigned.partition);
      const maxBytes = this.#options.maxPartitionBytes ?? 1 << 20;
      const fetched = partition.read(assigned.position, this.#options.isolation, maxBytes);
      if (fetched === undefined) continue;
      assigned.position = fetched.next;
      found.push({ assigned, fetched });
    }
    return found;
  }
}
