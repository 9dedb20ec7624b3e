import type { Millis } from '../core/ids.ts';
import type { Input } from './inputs.ts';

/**
 * Keeps sources of one group together in event time: none is read further ahead of the slowest than it says, so that
 * what joins or merges them need not remember the difference. Of a worker: the inputs of its tasks are compared, not
 * those of others. A task whose oldest record is too far ahead waits, and is not idle.
 *
 * Who has nothing to read does not count; who has, but was not brought it yet, counts at its last record.
 */
export class Alignment {
  readonly #groups = new Map<string, Set<Input>>();

  /** Answers how far the input may go at the moment. */
  join(group: string, maxDriftMs: Millis, input: Input): () => Millis {
    const members = this.#groups.get(group) ?? new Set();
    members.add(input);
    this.#groups.set(group, members);
    return () => {
      let slowest = Number.POSITIVE_INFINITY;
      for (const member of members) {
        if (member.fill()) slowest = Math.min(slowest, member.head);
        else if (member.awaited) slowest = Math.min(slowest, member.record.timestamp);
      }
      return slowest + maxDriftMs;
    };
  }

  leave(input: Input): void {
    for (const members of this.#groups.values()) members.delete(input);
  }
}
