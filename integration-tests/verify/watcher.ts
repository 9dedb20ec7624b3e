import type { Clock } from '../../core/clock.ts';
import { BatchView } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { type Job, PARTITIONS } from './topology.ts';

/** Follows the copied records as they are committed, while the faults happen. */
export class Watcher {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #job: Job;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Ids seen, by partition, in order. */
  readonly ids: readonly number[][] = Array.from({ length: PARTITIONS }, () => []);
  /** When a partition last showed something, and the longest time that it showed nothing since `mark`. */
  readonly #lastAt: number[];
  readonly #longestMs: number[] = Array.from({ length: PARTITIONS }, () => 0);
  /** When something last showed anywhere. */
  #anyAt: number;
  /** The longest time since `mark` in which no partition showed anything new. */
  silentMs = 0;
  /** The longest time in which a partition showed nothing. */
  stillMs = 0;
  #wakes: (() => void)[] = [];
  failure: unknown;

  constructor(log: Log, job: Job, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#lastAt = Array.from({ length: PARTITIONS }, () => clock.monotonic());
    this.#anyAt = clock.monotonic();
    this.#job = job;
    this.#running = this.#follow().catch((thrown: unknown) => {
      this.failure = thrown;
      this.#wake();
    });
  }

  /** Every partition has shown a record with at least this id. */
  get through(): number {
    return Math.min(...this.ids.map((ids) => ids.at(-1) ?? -1));
  }

  /** Resolves when every partition has shown a record with at least this id. */
  async until(id: number): Promise<void> {
    while (this.failure === undefined && this.through < id) {
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
      });
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** From now on the times are measured in which nothing shows. */
  mark(): void {
    this.#longestMs.fill(0);
    this.silentMs = 0;
  }

  /** The longest time since the mark in which a partition showed nothing new. */
  longestMs(partition: number): number {
    return this.#longestMs[partition]!;
  }

  /** ... of the partition that was worst. */
  get longestOfAllMs(): number {
    return Math.max(...this.#longestMs);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { name, valueSerde } = this.#job.topics.copy;
    const view = valueSerde.view();
    const batch = new BatchView();
    const reader = this.#log.reader({ isolation: 'committed' });
    reader.assign(this.ids.map((_, partition) => ({ topic: name, partition, position: 0 })));
    try {
      while (!this.#stop.signal.aborted) {
        for (const fetched of await reader.fetch(250, this.#stop.signal)) {
          for (const [b, start] of fetched.starts.entries()) {
            batch.open(fetched.bytes, start, fetched.ends[b]!, fetched);
            for (let i = 0; i < batch.count; i++) {
              const { id } = view(batch.bytes, batch.valueStarts[i]!, batch.valueEnds[i]!);
              this.ids[fetched.partition]!.push(id);
            }
          }
          fetched.release();
          this.#shown(fetched.partition);
        }
        this.#wake();
      }
    } finally {
      await reader.close();
    }
  }

  #shown(partition: number): void {
    const now = this.#clock.monotonic();
    const silentMs = now - this.#lastAt[partition]!;
    this.#longestMs[partition] = Math.max(this.#longestMs[partition]!, silentMs);
    this.stillMs = Math.max(this.stillMs, silentMs);
    this.#lastAt[partition] = now;
    this.silentMs = Math.max(this.silentMs, now - this.#anyAt);
    this.#anyAt = now;
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
