import { createFixedCheck } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { createTableReader } from './table-reader.ts';

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;

/**
 * Each record of the stream with the row of its key, as the table stands now; its time is the stream record's.
 * Without a row an inner join is silent and a left join merges with null. Records with a null value are dropped by
 * both, those with a null key by the inner join alone (KIP-962): they have no row, so the left join keeps them.
 * Where `merge` answers the stream's value as it is, the record goes on untouched.
 */
export const createJoinTable: OperatorFactory<'joinTable'> = (node, context, [next]) => {
  const merge = context.fn<Merge>(node.merge);
  const mergesWithKey = merge.length === 0 || merge.length > 2;
  const left = node.how === 'left';
  const rows = createTableReader(context, node.inputs[1]!, `${node.id} row`);
  const isFixed = createFixedCheck();
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        if (record.valueIsNull) {
          context.drop('null-value', record);
          return;
        }
        let right: unknown = null;
        if (!record.keyIsNull) {
          right = rows.find(record);
        } else if (!left) {
          context.drop('null-key', record);
          return;
        }
        if (right === null && !left) return;
        const { value: own } = record;
        const value = mergesWithKey ? merge(own, right, record.key) : merge(own, right);
        if (value === own && isFixed(own)) {
          next(record);
          return;
        }
        out.takeKey(record);
        out.setValue(value);
        next(out);
      },
      NOWHERE,
    ],
  };
};
