import { type Position, partitionName } from '../core/ids.ts';
import type { LogAdmin } from '../log/log.ts';

/**
 * Where partitions end, for progress: what a task knows of its input is as old as its last fetch, and a paused input
 * fetches nothing. The log is asked in the background when somebody looks, so that an answer is one look old.
 */
export class KnownEnds {
  readonly #admin: LogAdmin;
  readonly #partitions: readonly { readonly topic: string; readonly partition: number }[];
  readonly #ends = new Map<string, Position>();
  #asking = false;

  constructor(admin: LogAdmin, topics: Iterable<{ readonly name: string; readonly partitions: number }>) {
    this.#admin = admin;
    this.#partitions = [...topics].flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    );
  }

  /** 0 where it is not known. */
  of(topic: string, partition: number): Position {
    return this.#ends.get(partitionName(topic, partition)) ?? 0;
  }

  look(): void {
    if (this.#asking) return;
    this.#asking = true;
    const asked = this.#partitions.map(async ({ topic, partition }) => {
      const { end } = await this.#admin.bounds(topic, partition);
      this.#ends.set(partitionName(topic, partition), end);
    });
    // a log that does not answer is told by those who read it
    void Promise.allSettled(asked).then(() => {
      this.#asking = false;
    });
  }
}
