import { takesKey } from './functions.ts';
import type { OperatorFactory, Push } from './operators.ts';
import { Rec } from './record.ts';
import type { RowReader } from './row-reader.ts';
import { createTableOutput } from './table-output.ts';
import { createTableReader } from './table-reader.ts';

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;

/**
 * Two tables as one, by key: each update of either side meets the row that the other one has now, and the time is the
 * larger of both. An inner join has a row where both have, a left join where the left has, an outer join where one of
 * them has. A deletion is passed on only where there could have been a row: see `side`. Out-of-order updates of versioned
 * tables are dropped.
 */
export const createJoinTables: OperatorFactory<'joinTables'> = (node, context, [next]) => {
  const merge = context.fn<Merge>('merge', node.merge);
  const withKey = takesKey(merge);
  const [leftId, rightId] = node.inputs;
  const push = createTableOutput(node, context, next);
  const asked = context.wantsOld;
  const out = new Rec();

  /**
   * @param other The rows of the other side.
   * @param keepsOwn Rows of this side stand without one of the other.
   * @param keepsOther Rows of the other side stand without one of this.
   */
  function side(other: RowReader, keepsOwn: boolean, keepsOther: boolean, combine: Combine): Push {
    const readsOld = asked || keepsOwn;
    return (record) => {
      if (record.keyIsNull) {
        context.drop('null-key', record);
        return;
      }
      if (!record.latest) {
        context.drop('out-of-order', record);
        return;
      }
      const row = other.find(record);
      const { value } = record;
      const old = readsOld ? record.old : null;
      if (row === null && (!keepsOwn || (value === null && old === null))) return;
      const alone = row !== null && keepsOther;
      const timestamp = row === null ? record.timestamp : Math.max(record.timestamp, other.timestamp);
      const result = value !== null || alone ? combine(value, row, record) : null;
      if (asked) out.old = old !== null || alone ? (combine(old, row, record) ?? null) : null;
      out.takeKey(record);
      out.timestamp = timestamp;
      out.setValue(result);
      push(out);
    };
  }

  const outer = node.how === 'outer';
  const left = node.how !== 'inner';
  const leftRows = createTableReader(context, leftId!, `${node.id} left`);
  const rightRows = createTableReader(context, rightId!, `${node.id} right`);
  return {
    inputs: [
      side(rightRows, left, outer, (own, row, record) => (withKey ? merge(own, row, record.key) : merge(own, row))),
      side(leftRows, outer, left, (own, row, record) => (withKey ? merge(row, own, record.key) : merge(row, own))),
    ],
  };
};

type Combine = (own: unknown, row: unknown, record: Rec) => unknown;
