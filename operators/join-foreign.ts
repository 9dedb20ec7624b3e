import { answersTo, answerValueAt } from './foreign-messages.ts';
import { takesKey } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import { createHashedRows } from './hashed-rows.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';
import { createStoredOlds, createTableOutput } from './table-output.ts';

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;

/**
 * Takes the answers of the right side of a foreign-key join, and puts out the rows of the join. An answer carries the
 * hash of the left value that it belongs to: where the row has changed since, the answer is stale, counted and left alone,
 * since that change has an answer of its own on its way. A row without a partner is deleted by an inner join.
 */
export const createJoinForeign: OperatorFactory<'joinForeign'> = (node, context, [next]) => {
  const merge = context.fn<Merge>('merge', node.merge);
  const withKey = takesKey(merge);
  const rows = createHashedRows(context, node.inputs[0]!, node.leftValue, `${node.id} left`);
  const right = context.serde(node.rightValue);
  const rightView = shared(right, `${node.id} right`, () => right.view());
  const message = context.serde(context.node(node.inputs[1]!).value!);
  const olds = createStoredOlds(node, context, context.wantsOld);
  const push = createTableOutput(node, context, next);
  const out = new Rec();
  return {
    inputs: [
      NOWHERE,
      (record) => {
        record.encodeValue(message);
        const { valueBytes, valueStart, valueEnd } = record;
        const row = rows.find(record);
        if (!answersTo(valueBytes, valueStart, valueEnd, row === null ? undefined : rows.hash())) {
          context.drop('stale', record);
          return;
        }
        const at = answerValueAt(valueBytes, valueStart);
        const partner = at < 0 ? null : rightView(valueBytes, at, valueEnd);
        out.takeKey(record);
        out.latest = true;
        if (row === null || (partner === null && node.how === 'inner')) out.setValue(null);
        else out.setValue(withKey ? merge(row, partner, record.key) : merge(row, partner));
        if (olds !== undefined) out.old = olds.find(out);
        push(out);
      },
    ],
  };
};
