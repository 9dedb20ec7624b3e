import type { Position } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import type { Fetched } from '../log/log.ts';
import type { TaskState } from '../state/state.ts';

const view = new BatchView();

/** Applies what has come of a table's changelog from a position on. Answers how many records that were. */
export function applyChangelog(state: TaskState, table: string, fetched: Fetched, from: Position): number {
  let applied = 0;
  for (let b = 0; b < fetched.starts.length; b++) {
    view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
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
  }
  state.restored(table, fetched.next);
  return applied;
}
