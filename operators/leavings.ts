import { FlowError } from '../core/errors.ts';
import { type CellTable, PLAIN } from '../state/state.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';

/**
 * How often each row of the left table has left a foreign key without the right side having said so yet; a row of the
 * store only where that is not 0. What the right side sent before it heard of it may still come, and may fit the row
 * again when that comes back to what it was. It comes in order: behind the acknowledgement there is nothing older.
 *
 * Both nodes on the left of an inner join have the store, and they lie in one task.
 */
export interface Leavings {
  /** The row of the record's key leaves a foreign key. */
  leave(record: Rec): void;
  /** The right side has said so. */
  acknowledge(record: Rec): void;
  /** Whether any is on its way. */
  pending(record: Rec): boolean;
}

export function createLeavings(context: OperatorContext, node: string, store: string | undefined): Leavings {
  if (store === undefined) {
    const why = `${node} has no store of leavings: an earlier version of the engine wrote the plan`;
    throw new FlowError('plan.invalid', `${why}; build it anew`);
  }
  const table = context.table(store) as CellTable;
  const { key } = context.storeSerdes(store);
  return {
    leave(record) {
      record.encodeKey(key);
      table.update(PLAIN, record.keyBytes, record.keyStart, record.keyEnd);
      const { cells, base } = table;
      cells[base] = cells[base]! + 1;
      cells[base - 1] = Math.max(cells[base - 1]!, record.timestamp);
    },
    acknowledge(record) {
      record.encodeKey(key);
      const { keyBytes, keyStart, keyEnd } = record;
      if (!table.find(PLAIN, keyBytes, keyStart, keyEnd)) return;
      if (table.cells[table.base]! <= 1) {
        table.delete(PLAIN, keyBytes, keyStart, keyEnd);
        return;
      }
      table.update(PLAIN, keyBytes, keyStart, keyEnd);
      const { cells, base } = table;
      cells[base] = cells[base]! - 1;
    },
    pending(record) {
      record.encodeKey(key);
      return table.find(PLAIN, record.keyBytes, record.keyStart, record.keyEnd);
    },
  };
}
