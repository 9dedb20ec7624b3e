import { BatchView } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { type Job, PARTITIONS } from './topology.ts';

/** Follows the copied records as they are committed, while the faults happen. */
export class Watcher {
  readonly #log: Log;
  readonly #job: Job;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Ids seen, by partition, in order. */
  readonly ids: readonly number[][] = Array.from({ length: PARTITIONS }, () => []);
  #wakes: (() => void)[] = [];
  failure: unknown;

  constructor(log: Log, job: Job) {
    this.#log = log;
    this.#job = job;
    this.#running = this.#follow().catch((thrown: unknown) => {
      this.failure = thrown;
      this.#wake();
    });
  }

  /** Resolves when every partition has shown a record with at least this id. */
  async until(id: number): Promise<void> {
    while (this.failure === undefined && !this.ids.every((ids) => (ids.at(-1) ?? -1) >= id)) {
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
      });
    }
    if (this.failure !== undefined) throw this.failure;
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
        }
        this.#wake();
      }
    } finally {
      await reader.close();
    }
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
