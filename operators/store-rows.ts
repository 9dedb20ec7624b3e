import { PLAIN } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import type { OperatorContext, OperatorFactory } from './operators.ts';
import type { Rec } from './record.ts';
import { createRowReader } from './row-reader.ts';
import { createVersionedTable } from './versioned-table.ts';

/**
 * Keeps the newest value per key in a store, in order of arrival, and passes each update on. A null value deletes;
 * deletions of rows that are not there are passed on too. With history: see `versioned-table.ts`.
 */
export const createStoreRows: OperatorFactory<'table'> & OperatorFactory<'toTable'> = (
  node: NodeOf<'table' | 'toTable'>,
  context: OperatorContext,
  [next],
) => {
  if (context.storeSerdes(node.store).kind === 'versioned') return createVersionedTable(node, context, next!);
  const write = createRowWriter(context, node.store);
  const olds = context.wantsOld ? createRowReader(context, node.store, node.key, `${node.id} old`) : undefined;
  return {
    inputs: [
      (record) => {
        if (record.keyIsNull) {
          context.drop('null-key', record);
          return;
        }
        // Others may get the same record, as a change of the table that its stream came from.
        const { old, latest } = record;
        if (olds !== undefined) record.old = olds.find(record);
        record.latest = true;
        write(record);
        next(record);
        record.old = old;
        record.latest = latest;
      },
    ],
  };
};

/** Puts a record's value under its key; the record then has both encoded in the store's formats. */
export function createRowWriter(context: OperatorContext, store: string): (record: Rec) => void {
  const table = context.table(store);
  const { key: keySerde, value: valueSerde } = context.storeSerdes(store);
  if (table.kind === 'bytes') {
    return (record) => {
      record.encodeKey(keySerde);
      record.encodeValue(valueSerde);
      const { keyBytes, keyStart, keyEnd, valueStart } = record;
      if (valueStart < 0) table.delete(PLAIN, keyBytes, keyStart, keyEnd);
      else
        table.put(PLAIN, keyBytes, keyStart, keyEnd, record.valueBytes, valueStart, record.valueEnd, record.timestamp);
    };
  }
  const codec = valueSerde.cells!;
  return (record) => {
    record.encodeKey(keySerde);
    record.encodeValue(valueSerde);
    const { keyBytes, keyStart, keyEnd, valueStart } = record;
    if (valueStart < 0) {
      table.delete(PLAIN, keyBytes, keyStart, keyEnd);
      return;
    }
    table.update(PLAIN, keyBytes, keyStart, keyEnd);
    const { cells, base } = table;
    codec.decode(record.valueBytes, valueStart, record.valueEnd, cells, base);
    cells[base - 1] = record.timestamp;
  };
}
