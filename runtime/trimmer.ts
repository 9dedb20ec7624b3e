import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Millis, Position, TopicPartition } from '../core/ids.ts';
import { PartitionMap } from '../core/partition-map.ts';
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

/** Whoever knows from where on its changelogs are wanted. */
interface Wanting {
  wanted(): readonly Place[];
}

type Place = TopicPartition & { readonly position: Position };

/** An epoch that was under way when it was looked what is wanted was perhaps cut before; the second behind was not. */
const EPOCHS = 2;

/**
 * Deletes the records of repartition topics behind the committed positions of the tasks that read them, and those of
 * changelogs that tell of dropped panes alone: nobody reads them again. Beside the loop, now and then, and of the first
 * kind once more at the end.
 */
export class Trimmer {
  readonly #options: TrimmerOptions;
  readonly #committed = new PartitionMap<Place>();
  readonly #trimmed = new PartitionMap<Position>();
  #trimming: Promise<void> | undefined;
  /** What tasks said in the last round, and how many epochs have been committed since. */
  #looked: ReadonlyMap<Wanting, readonly Place[]> = new Map();
  #epochs = 0;
  #last: number;

  constructor(options: TrimmerOptions) {
    this.#options = options;
    this.#last = options.clock.monotonic();
  }

  /** Takes note of the positions of an epoch whose commit has held, by its parts. */
  committed(epoch: readonly { readonly positions: readonly Place[] }[]): void {
    this.#epochs++;
    for (const { positions } of epoch) {
      for (const place of positions) {
        if (this.#options.isInternal(place.topic)) this.#committed.set(place.topic, place.partition, place);
      }
    }
  }

  /** Starts a round where one is due. */
  trim(tasks: Iterable<Wanting>): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#last < TRIM_MS || this.#trimming !== undefined) return;
    this.#last = now;
    this.#look(tasks);
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

  #look(tasks: Iterable<Wanting>): void {
    if (this.#looked.size > 0 && this.#epochs < EPOCHS) return;
    const looked = this.#looked;
    this.#looked = new Map([...tasks].map((task) => [task, task.wanted()]));
    this.#epochs = 0;
    for (const [task, places] of looked) {
      // one that has gone back to its last commit is opened anew: what it had said may never have come about
      if (!this.#looked.has(task)) continue;
      for (const place of places) this.#committed.set(place.topic, place.partition, place);
    }
  }

  async #round(): Promise<void> {
    for (const { topic, partition, position } of [...this.#committed.values()]) {
      if (position <= (this.#trimmed.get(topic, partition) ?? 0)) continue;
      try {
        await this.#options.admin.deleteRecords(topic, partition, position);
        this.#trimmed.set(topic, partition, position);
      } catch (thrown) {
        // It costs space only; the next round tries again.
        this.#options.log.warn({ topic, partition, position }, `records were not trimmed: ${messageOf(thrown)}`);
      }
    }
  }
}
