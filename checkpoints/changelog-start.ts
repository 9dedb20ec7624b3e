import { FlowError } from '../core/errors.ts';
import { type Millis, type Position, partitionName } from '../core/ids.ts';
import type { LogAdmin, PartitionBounds } from '../log/log.ts';
import type { TaskState } from '../state/state.ts';

/** A table and the topic of its changelog. */
export interface TableChangelog {
  readonly table: string;
  readonly changelog: string;
  /** Nothing is ever taken away from its front: it begins at 0, unless somebody else has deleted records. */
  readonly whole: boolean;
}

export interface ChangelogStartOptions {
  readonly admin: LogAdmin;
  readonly state: TaskState;
  readonly partition: number;
  readonly now: Millis;
  /** Told when a store had to be emptied first, and why. */
  onReset(table: string, why: string): void;
}

/** Where a changelog is to be read from, and where it ended when that was looked up. */
export interface ChangelogStart extends TableChangelog {
  readonly from: Position;
  readonly bounds: PartitionBounds;
}

/** Tombstones of a changelog stay this long; see hard-places 10. */
export const CHANGELOG_DELETE_RETENTION_MS: Millis = 7 * 86_400_000;

/**
 * Empties every table that its changelog cannot continue, and answers where each goes on. Fails with `state.incomplete`
 * where a table would have to be rebuilt from a changelog that has lost records.
 */
export async function changelogStarts(
  options: ChangelogStartOptions,
  tables: readonly TableChangelog[],
): Promise<readonly ChangelogStart[]> {
  const { admin, partition } = options;
  const all = await Promise.all(tables.map(({ changelog }) => admin.bounds(changelog, partition)));
  const starts: ChangelogStart[] = [];
  for (const [i, each] of tables.entries()) {
    const bounds = all[i]!;
    starts.push({ ...each, from: await startOf(options, each, bounds), bounds });
  }
  return starts;
}

async function startOf(
  { state, partition, now, onReset }: ChangelogStartOptions,
  { table, changelog, whole }: TableChangelog,
  { start, end }: PartitionBounds,
): Promise<Position> {
  const at = state.position(table);
  const checkWhole = () => {
    if (!whole || start === 0) return;
    throw new FlowError(
      'state.incomplete',
      `records of ${partitionName(changelog, partition)} before position ${start} are gone, which ${table} would be ` +
        'rebuilt from; put the topic back from a copy, or stores that reach there, or reset the application',
    );
  };
  if (at === undefined) {
    checkWhole();
    return start;
  }
  let why: string | undefined;
  if (at > end) why = `its position ${at} lies behind the changelog's end ${end}`;
  else if (at < start && at !== end) why = `the changelog begins at ${start}, the store ends at ${at}`;
  else if (at !== end && now - (state.refreshedAt ?? 0) > CHANGELOG_DELETE_RETENTION_MS / 2) {
    why = 'it is older than half the time that deletions stay in the changelog';
  }
  if (why === undefined) return at;
  checkWhole();
  onReset(table, why);
  await state.reset(table);
  return start;
}
