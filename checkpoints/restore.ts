import { FlowError } from '../core/errors.ts';
import { failpoint } from '../core/failpoints.ts';
import type { Millis, Position } from '../core/ids.ts';
import type { Log } from '../log/log.ts';
import type { TaskState } from '../state/state.ts';
import { applyChangelog } from './apply-changelog.ts';
import { changelogStarts, type TableChangelog } from './changelog-start.ts';

export interface RestoreOptions {
  readonly log: Log;
  readonly state: TaskState;
  readonly partition: number;
  readonly tables: readonly TableChangelog[];
  readonly now: Millis;
  /** Nobody waits for it any more: it ends with `stopped`. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each table where it begins and ends, before any is read, and then how far it has come. */
  onProgress(table: string, position: Position, end: Position): void;
  /** Told when a store had to be emptied first, and why. */
  onReset(table: string, why: string): void;
}

/**
 * Brings a task's state to the end of its changelogs. Call it after the group's committed positions were read:
 * then everything that belongs to them lies below the uncommitted ends taken here. Answers how many records
 * were applied.
 */
export async function restoreState(options: RestoreOptions): Promise<number> {
  const { log, state, partition, now, signal, onProgress, onReset } = options;
  const starts = await changelogStarts({ admin: log.admin, state, partition, now, onReset }, options.tables);
  for (const { table, from, bounds } of starts) onProgress(table, from, bounds.end);
  let applied = 0;
  const reader = log.reader({ isolation: 'committed' });
  try {
    for (const { table, changelog, from, bounds } of starts) {
      failpoint('restore.table');
      let position = from;
      if (position < bounds.end) {
        reader.assign([{ topic: changelog, partition, position }]);
        while (position < bounds.end) {
          for (const fetched of await reader.fetch(1000, signal)) {
            applied += applyChangelog(state, table, fetched, position);
            position = fetched.next;
            fetched.release();
            if (state.overBudget) await state.writeBack();
            onProgress(table, position, bounds.end);
          }
          if (signal?.aborted) throw new FlowError('stopped', `the restore of ${changelog} was given up`);
        }
        reader.unassign([{ topic: changelog, partition }]);
      }
      state.restored(table, Math.max(position, from));
    }
  } finally {
    await reader.close();
  }
  return applied;
}
