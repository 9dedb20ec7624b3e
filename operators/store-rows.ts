import { PLAIN } from '../state/state.ts';
import type { OperatorContext, OperatorFactory } from './operators.ts';
import type { Rec } from './record.ts';

/**
 * Keeps the newest value per key in a store, in order of arrival, and passes each update on. A null value deletes;
 * deletions of rows that are not there are passed on too.
 */
export const createStoreRows: OperatorFactory<'table'> & OperatorFactory<'toTable'> = (
  node: { readonly store: string },
  context: OperatorContext,
  [next],
) => {
  const write = createRowWriter(context, node.store);
  return {
    inputs: [
      (record) => {
        if (record.keyIsNull) {
          context.drop('null-key', record);
          return;
        }
        write(record);
        next(record);
      },
    ],
  };
};

/** Puts a record's value under its key; the record then has both encoded in the store's formats. */
function createRowWriter(context: OperatorContext, store: string): (record: Rec) => void {
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
