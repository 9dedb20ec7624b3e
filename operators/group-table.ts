import { type Bytes, ByteWriter, equalBytes } from '../core/bytes.ts';
import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

type Pair = readonly [key: unknown, value: unknown];

/**
 * Each change of a table under new keys: what it takes away from the key of the old value, and what it brings to the
 * key of the new one. Where both have one key they go in one record, else in two, the old one first. A null key or value
 * is in no group. Out-of-order updates of versioned tables change nothing that is grouped.
 */
export const createGroupTable: OperatorFactory<'groupTable'> = (node, context, [next]) => {
  const fn = context.fn<Fn<Pair>>('fn', node.fn);
  const alone = takesValueAlone(fn);
  const pair = (value: unknown, record: Rec): Pair | undefined => {
    if (value === null) return undefined;
    const made = alone ? fn(value) : fn(value, record.key);
    return isNull(made[0]) || isNull(made[1]) ? undefined : made;
  };
  const serde = context.serde(node.key!);
  const view = shared(serde, `${node.id} key`, () => serde.view());
  const oldKey = new ByteWriter(64);
  const newKey = new ByteWriter(64);
  const change: { oldValue: unknown; newValue: unknown } = { oldValue: null, newValue: null };
  const out = new Rec();

  function push(record: Rec, key: Bytes, keyEnd: number, oldValue: unknown, newValue: unknown): void {
    out.takeOrigin(record);
    out.setKeyBytes(serde, view, key, 0, keyEnd);
    change.oldValue = oldValue;
    change.newValue = newValue;
    out.setValue(change);
    next(out);
  }

  return {
    inputs: [
      (record) => {
        if (!record.latest) return;
        const added = pair(record.value, record);
        const removed = pair(record.old, record);
        if (added !== undefined) {
          newKey.clear();
          serde.encode(added[0], newKey);
        }
        if (removed !== undefined) {
          oldKey.clear();
          serde.encode(removed[0], oldKey);
          if (added !== undefined && equalBytes(oldKey.bytes, 0, oldKey.at, newKey.bytes, 0, newKey.at)) {
            push(record, oldKey.bytes, oldKey.at, removed[1], added[1]);
            return;
          }
          push(record, oldKey.bytes, oldKey.at, removed[1], null);
        }
        if (added !== undefined) push(record, newKey.bytes, newKey.at, null, added[1]);
      },
    ],
  };
};

function isNull(value: unknown): boolean {
  return value === null || value === undefined;
}
