import { failpoint } from '../core/failpoints.ts';
import type { Millis, Position } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { TaskState } from '../state/state.ts';

export interface RestoreOptions {
  readonly log: Log;
  readonly state: TaskState;
  readonly partition: number;
  /** Each table and the topic of its changelog. */
  readonly tables: readonly { readonly table: string; readonly changelog: string }[];
  readonly now: Millis;
  /** Told as records are applied: of a table, how far, and where it ends. */
  onProgress(table: string, position: Position, end: Position): void;
  /** Told when a store had to be emptied first, and why. */
  onReset(table: string, why: string): void;
}

/** Tombstones of a changelog stay this long; see hard-places 10. */
export const CHANGELOG_DELETE_RETENTION_MS: Millis = 7 * 86_400_000;

/**
 * Brings a task's state to the end of its changelogs. Call it after the group's committed positions were read:
 * then everything that belongs to them lies below the uncommitted ends taken here. Answers how many records
 * were applied.
 */
export async function restoreState(options: RestoreOptions): Promise<number> {
  const { log, partition } = options;
  let applied = 0;
  const reader = log.reader({ isolation: 'committed' });
  try {
    for (const { table, changelog } of options.tables) {
      const bounds = await log.admin.bounds(changelog, partition);
      const from = await startOf(options, table, bounds.start, bounds.end);
      failpoint('restore.table');
      let position = from;
      if (position < bounds.end) {
        reader.assign([{ topic: changelog, partition, position }]);
        const view = new BatchView();
        while (position < bounds.end) {
          for (const fetched of await reader.fetch(1000)) {
            for (let b = 0; b < fetched.starts.length; b++) {
              view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
              applied += applyBatch(options.state, table, view, position);
            }
            position = fetched.next;
            fetched.release();
            options.state.restored(table, position);
            if (options.state.overBudget) await options.state.writeBack();
            options.onProgress(table, position, bounds.end);
          }
        }
        reader.unassign([{ topic: changelog, partition }]);
      }
      options.state.restored(table, Math.max(position, from));
    }
  } finally {
    await reader.close();
  }
  return applied;
}

async function startOf(options: RestoreOptions, table: string, start: Position, end: Position): Promise<Position> {
  const { state } = options;
  const at = state.position(table);
  if (at === undefined) return start;
  let why: string | undefined;
  if (at > end) why = `its position ${at} lies behind the changelog's end ${end}`;
  else if (at < start && at !== end) why = `the changelog begins at ${start}, the store ends at ${at}`;
  else if (at !== end && options.now - (state.refreshedAt ?? 0) > CHANGELOG_DELETE_RETENTION_MS / 2) {
    why = 'it is older than half the time that deletions stay in the changelog';
  }
  if (why === undefined) return at;
  options.onReset(table, why);
  await state.reset(table);
  return start;
}

function applyBatch(state: TaskState, table: string, view: BatchView, from: Position): number {
  let applied = 0;
  for (let i = 0; i < view.count; i++) {
    if (view.positions[i]! < from) continue;
    state.apply(
      table,
      view.bytes,
      view.keyStarts[i]!,
      view.keyEnds[i]!,
      view.bytes,
      view.valueStarts[i]!,
      view.valueEnds[i]!,
    );
    applied++;
  }
  return applied;
}
