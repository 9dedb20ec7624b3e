import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../core/ids.ts';
import type { LogAdmin } from '../log/log.ts';
import type { Logger } from '../telemetry/telemetry.ts';

const TRIM_MS: Millis = 30_000;
/** A log that does not answer may not hold back who closes: the next run trims. */
const CLOSING_MS: Millis = 2000;

export interface TrimmerOptions {
  readonly admin: LogAdmin;
  readonly clock: Clock;
  readonly log: Logger;
  /** Topics of the engine's own that nobody but this application reads. */
  isInternal(topic: string): boolean;
}

/**
 * Deletes the records of repartition topics behind the committed positions of the tasks that read them: nobody
 * reads them again. Beside the loop, now and then, and once more at the end.
 */
export class Trimmer {
  readonly #options: TrimmerOptions;
  readonly #committed = new Map<string, TopicPartition & { readonly position: Position }>();
  readonly #trimmed = new Map<string, Position>();
  #trimming: Promise<void> | undefined;
  #last: number;

  constructor(options: TrimmerOptions) {
    this.#options = options;
    this.#last = options.clock.monotonic();
  }

  /** Takes note of positions whose commit has held. */
  committed(positions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const { topic, partition, position } of positions) {
      if (!this.#options.isInternal(topic)) continue;
      this.#committed.set(partitionName(topic, partition), { topic, partition, position });
    }
  }

  /** Starts a round where one is due. */
  trim(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#last < TRIM_MS || this.#trimming !== undefined) return;
    this.#last = now;
    this.#trimming = this.#round().finally(() => {
      this.#trimming = undefined;
    });
  }

  /** The last round, if the log answers soon. */
  async close(): Promise<void> {
    const done = new AbortController();
    const last = (this.#trimming ?? Promise.resolve()).then(() => this.#round()).finally(() => done.abort());
    await Promise.race([last, this.#options.clock.sleep(CLOSING_MS, done.signal)]);
  }

  async #round(): Promise<void> {
    for (const [name, { topic, partition, position }] of [...this.#committed]) {
      if (position <= (this.#trimmed.get(name) ?? 0)) continue;
      try {
        await this.#options.admin.deleteRecords(topic, partition, position);
        this.#trimmed.set(name, position);
      } catch (thrown) {
        // It costs space only; the next round tries again.
        this.#options.log.warn({ topic, partition, position }, `records were not trimmed: ${messageOf(thrown)}`);
      }
    }
  }
}
