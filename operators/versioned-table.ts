import type { NodeOf } from '../topology/plan.ts';
import type { Operator, OperatorContext, Push } from './operators.ts';
import { createRowReader } from './row-reader.ts';
import { LATEST, REJECTED, VersionedRows } from './versioned-rows.ts';

/**
 * Keeps the versions of each key, and passes each update on. One that came behind a newer one of its key is stored and
 * passed on as not the latest, for joins and aggregates of tables to leave alone; one from before the history is
 * dropped as late. The clock is the store's, which only what is put into it moves.
 */
export function createVersionedTable(
  { id, key, store }: NodeOf<'table' | 'toTable'>,
  context: OperatorContext,
  next: Push,
): Operator {
  const olds = context.wantsOld ? createRowReader(context, store, key, `${id} old`) : undefined;
  const rows = new VersionedRows(context, store);
  const { key: keySerde, value: valueSerde } = context.storeSerdes(store);
  return {
    inputs: [
      (record) => {
        const at = record.timestamp;
        if (record.keyIsNull) {
          context.drop('null-key', record);
          return;
        }
        record.encodeKey(keySerde);
        record.encodeValue(valueSerde);
        // Others may get the same record, as a change of the table that its stream came from.
        const { old, latest } = record;
        const replaced = olds === undefined ? old : olds.find(record);
        const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = record;
        const validTo = rows.put(keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, at);
        if (validTo === REJECTED) {
          context.drop('late', record);
          return;
        }
        record.old = replaced;
        record.latest = validTo === LATEST;
        try {
          next(record);
        } finally {
          record.old = old;
          record.latest = latest;
        }
      },
    ],
  };
}
