import { type Position, partitionName, type TopicPartition } from '../core/ids.ts';
import type { Fetched } from '../log/log.ts';
import type { TaskState } from '../state/state.ts';
import { applyChangelog } from './apply-changelog.ts';
import {
  type ChangelogStart,
  type ChangelogStartOptions,
  changelogStarts,
  type TableChangelog,
} from './changelog-start.ts';

interface Followed extends Pick<TableChangelog, 'table' | 'changelog'> {
  position: Position;
  end: Position;
}

/**
 * Keeps a task's state behind its changelogs while the task runs elsewhere: a *standby*. It takes what committed
 * readers see, so that its state is one that the task once had at a commit, and never more than that.
 */
export class Follower {
  readonly #state: TaskState;
  readonly #partition: number;
  readonly #tables: ReadonlyMap<string, Followed>;

  private constructor(state: TaskState, partition: number, starts: readonly ChangelogStart[]) {
    this.#state = state;
    this.#partition = partition;
    this.#tables = new Map(
      starts.map(({ table, changelog, from, bounds }) => [
        partitionName(changelog, partition),
        { table, changelog, position: from, end: Math.max(from, bounds.stable) },
      ]),
    );
    for (const { table, position } of this.#tables.values()) state.restored(table, position);
  }

  static async open(options: ChangelogStartOptions, tables: readonly TableChangelog[]): Promise<Follower> {
    return new Follower(options.state, options.partition, await changelogStarts(options, tables));
  }

  /** What is to be read, and from where. */
  get partitions(): readonly (TopicPartition & { readonly position: Position })[] {
    const partition = this.#partition;
    return [...this.#tables.values()].map(({ changelog, position }) => ({ topic: changelog, partition, position }));
  }

  /** How far it has come, all changelogs added up. */
  get at(): Position {
    let at = 0;
    for (const { position } of this.#tables.values()) at += position;
    return at;
  }

  /** Where they end for a committed reader, as far as it has heard. */
  get end(): Position {
    let sum = 0;
    for (const { end } of this.#tables.values()) sum += end;
    return sum;
  }

  /** Takes what has come of one of its partitions; the caller releases it. Answers how many records were applied. */
  take(fetched: Fetched): number {
    const followed = this.#tables.get(partitionName(fetched.topic, fetched.partition))!;
    const applied = applyChangelog(this.#state, followed.table, fetched, followed.position);
    followed.position = fetched.next;
    followed.end = Math.max(fetched.end, fetched.next);
    return applied;
  }
}
