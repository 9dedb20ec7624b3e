import type { Millis } from '../core/ids.ts';
import { type CellTable, PLAIN } from '../state/state.ts';
import type { WindowOf } from '../topology/plan.ts';
import { NOWHERE } from './fuse.ts';
import { createAggregates } from './held.ts';
import { KeyWindows } from './key-windows.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { WindowUpdates } from './window-updates.ts';

/**
 * Aggregates per key and window of so many records of that key, in the order in which they come; a window begins with
 * every so many. Start and end of a window number the records of its key, from 0. A window that is full gives its final
 * result at once, behind the update, and its row goes. Time closes nothing: none comes late.
 */
export const createCountAggregate: OperatorFactory<'aggregate'> = (node, context, next) => {
  const { size, every } = node.window as WindowOf<'count'>;
  const numbers = context.table(node.beside!) as CellTable;
  const windows = new KeyWindows(node, null, context);
  const aggregates = createAggregates(node, context, PLAIN);
  const held = aggregates.hold('update');
  const updates = new WindowUpdates(context, windows, aggregates, next[0]);
  const { old } = updates;
  const finals = next[1] ?? NOWHERE;
  const final = new Rec();

  /** The number of the record among those of its key. */
  function count({ keyBytes, keyStart, keyEnd, timestamp }: Rec): number {
    numbers.update(PLAIN, keyBytes, keyStart, keyEnd);
    const { cells, base } = numbers;
    const number = cells[base]!;
    cells[base] = number + 1;
    if (timestamp > cells[base - 1]!) cells[base - 1] = timestamp;
    return number;
  }

  function update(record: Rec, number: number, start: Millis): void {
    windows.point(record, start, start + size);
    const { bytes, at } = windows.key;
    if (!aggregates.load(held, bytes, 0, at)) aggregates.begin(held, record.timestamp);
    if (old !== undefined) aggregates.copy(old, held);
    aggregates.add(held, record);
    const { present } = held;
    const full = number === start + size - 1;
    if (full) held.present = false;
    aggregates.store(held, bytes, 0, at);
    held.present = present;
    updates.tell(record, held);
    if (!full || !present || finals === NOWHERE) return;
    final.bodyStart = -1;
    windows.name(final, bytes, 0, at, 'finals');
    aggregates.show(held, final);
    finals(final);
  }

  return {
    inputs: [
      (record) => {
        if (record.keyIsNull) {
          context.drop('null-key', record);
          return;
        }
        record.encodeKey(windows.inner);
        const number = count(record);
        const first = Math.max(0, Math.ceil((number - size + 1) / every) * every);
        for (let start = first; start <= number; start += every) update(record, number, start);
      },
    ],
  };
};
