import { type Fn, takesKey, takesValueAlone } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { createRowReader } from './row-reader.ts';

type Merge = (value: unknown, row: unknown, key?: unknown) => unknown;

/**
 * Looks up the row of a global table that a record names, in the worker's copy as it is at that moment. Only the stream
 * triggers, and its key does not matter: a record without one is joined like any other. A record that names no row is
 * passed on by a left join, and dropped and counted by an inner one; one without a value is dropped by both.
 */
export const createJoinGlobal: OperatorFactory<'joinGlobal'> = (node, context, [next]) => {
  const keyOf = context.fn<Fn<unknown>>('key', node.keyOf);
  const alone = takesValueAlone(keyOf);
  const merge = context.fn<Merge>('merge', node.merge);
  const withKey = takesKey(merge);
  const rows = createRowReader(context, node.store, context.storeSerdes(node.store).key.name, `${node.id} row`);
  const inner = node.how === 'inner';
  const named = new Rec();
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        if (record.valueIsNull) {
          context.drop('null-value', record);
          return;
        }
        const { value } = record;
        named.setKey(alone ? keyOf(value) : keyOf(value, record.key));
        let row: unknown = null;
        if (!named.keyIsNull) row = rows.find(named);
        else if (inner) {
          context.drop('null-key', record);
          return;
        }
        if (row === null && inner) return;
        out.takeKey(record);
        out.setValue(withKey ? merge(value, row, record.key) : merge(value, row));
        next(out);
      },
      NOWHERE,
    ],
  };
};
