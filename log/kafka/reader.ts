import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Fetched, LogReader, ReaderOptions } from '../log.ts';
import { Assigned } from './assigned.ts';
import type { Cluster } from './cluster.ts';
import { Fetcher } from './fetcher.ts';

const DEFAULT_FETCH_BYTES = 1 << 20;
/** A partition that was just assigned is waited for at most so long, even where the caller would not wait. */
const FIRST_ANSWER_MS: Millis = 5000;
/** Beyond so many bytes under way, what has come for paused partitions is dropped, and fetched again later. */
const HELD_BYTES = 64 << 20;

/**
 * Reads over sockets of our own. Requests are under way while the caller works: what is taken by a fetch is asked
 * for on from there before it is handed over. Whatever passes (brokers that restart, leaders that move, throttling)
 * is waited out; `fetch` then answers nothing.
 */
export class KafkaReader implements LogReader {
  readonly #cluster: Cluster;
  readonly #fetcher: Fetcher;
  readonly #assigned = new Map<string, Assigned>();
  readonly #onClose: () => void;
  #list: readonly Assigned[] = [];
  #wake: (() => void) | undefined;
  #fetching = false;
  #closed = false;

  constructor(cluster: Cluster, options: ReaderOptions, role: string, onClose: () => void) {
    this.#cluster = cluster;
    this.#onClose = onClose;
    this.#fetcher = new Fetcher({
      cluster,
      role,
      committed: options.isolation === 'committed',
      maxPartitionBytes: options.maxPartitionBytes ?? DEFAULT_FETCH_BYTES,
      holds: (assigned) => this.#assigned.get(assigned.name) === assigned,
      news: () => this.#wake?.(),
    });
  }

  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const { topic, partition, position } of partitions) {
      const assigned = new Assigned(topic, partition, position);
      const before = this.#assigned.get(assigned.name);
      assigned.paused = before?.paused ?? false;
      before?.drop();
      this.#assigned.set(assigned.name, assigned);
    }
    this.#changed();
  }

  unassign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition);
      this.#assigned.get(name)?.drop();
      this.#assigned.delete(name);
    }
    this.#changed();
  }

  pause({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned !== undefined) assigned.paused = true;
  }

  resume({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined || !assigned.paused) return;
    assigned.paused = false;
    assigned.hot = true;
    this.#wake?.();
  }

  async fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    this.#check();
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
    for (const assigned of this.#assigned.values()) assigned.drop();
    this.#assigned.clear();
    this.#fetcher.close();
    this.#onClose();
    this.#wake?.();
  }

  #check(): void {
    if (this.#closed) throw new FlowError('log.closed', 'the reader was closed');
    if (this.#cluster.closing.aborted) throw new FlowError('log.closed', 'the log was closed');
  }

  #changed(): void {
    this.#list = [...this.#assigned.values()];
    this.#wake?.();
  }

  async #fetch(maxWaitMs: Millis, signal: AbortSignal | undefined): Promise<readonly Fetched[]> {
    const { clock } = this.#cluster;
    const began = clock.monotonic();
    for (;;) {
      if (this.#closed || signal?.aborted) return [];
      for (const { failure, paused } of this.#list) if (failure !== undefined && !paused) throw failure;
      const found = this.#collect();
      this.#fetcher.ask(this.#list);
      if (found.length > 0) return found;
      const now = clock.monotonic();
      const until = began + (this.#awaitsFirst() ? Math.max(maxWaitMs, FIRST_ANSWER_MS) : maxWaitMs);
      if (now >= until) return [];
      await this.#wait(Math.min(until, this.#fetcher.nextAsk(this.#list)) - now, signal);
    }
  }

  /** Whether a broker has yet to say anything of a partition that is read. */
  #awaitsFirst(): boolean {
    return this.#list.some(({ answered, paused }) => !answered && !paused);
  }

  #collect(): readonly Fetched[] {
    const found: Fetched[] = [];
    const crowded = this.#fetcher.heldBytes > HELD_BYTES;
    for (const assigned of this.#list) {
      const { ready } = assigned;
      if (ready === undefined) continue;
      if (assigned.paused) {
        if (crowded) assigned.drop();
        continue;
      }
      assigned.ready = undefined;
      assigned.position = ready.next;
      found.push(ready);
    }
    return found;
  }

  async #wait(ms: Millis, signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController();
    // With a reason, since without one an error is made for it, with its stack.
    const wake = () => stop.abort(null);
    this.#wake = wake;
    signal?.addEventListener('abort', wake, { once: true });
    // A sleep, which keeps the process alive where no broker can be reached and no socket is open.
    await this.#cluster.clock.sleep(Math.max(0, ms), stop.signal);
    signal?.removeEventListener('abort', wake);
    this.#wake = undefined;
  }
}
