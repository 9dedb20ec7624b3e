import { ByteWriter, equalBytes } from '../core/bytes.ts';
import type { NodeOf } from '../topology/plan.ts';
import { createForeignKey } from './foreign-key.ts';
import { acknowledgementOf, answersTo, contentAt, FOREIGN_KEY, GONE, MOVED, RIGHT_VALUE } from './foreign-messages.ts';
import { takesKey } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import { createHashedRows } from './hashed-rows.ts';
import { createLeavings, type Leavings } from './leavings.ts';
import type { OperatorContext, OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';
import { createStoredOlds, createTableOutput } from './table-output.ts';

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;

/**
 * Takes the answers of the right side of a foreign-key join, and puts out the rows of the join. An answer carries the
 * hash of the left value that it belongs to: where the row has changed since, the answer is stale, counted and left alone,
 * since that change has an answer of its own on its way. A row without a partner is deleted by an inner join.
 *
 * In an inner join that change may have asked for none where there is no partner. So a stale answer that the right row is
 * not there counts where the row still names it, and one that a row has left where it still names none: what came to be
 * since is behind it.
 */
export const createJoinForeign: OperatorFactory<'joinForeign'> = (node, context, [next]) => {
  const merge = context.fn<Merge>('merge', node.merge);
  const withKey = takesKey(merge);
  const rows = createHashedRows(context, node.inputs[0]!, node.leftValue, `${node.id} left`);
  const right = context.serde(node.rightValue);
  const rightView = shared(right, `${node.id} right`, () => right.view());
  const names = node.how === 'inner' ? createNames(node, context) : undefined;
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
        const left = acknowledgementOf(valueBytes, valueStart, valueEnd);
        if (left !== undefined) names?.leavings.acknowledge(record);
        if (left === MOVED) return;
        const row = rows.find(record);
        const answered = left !== GONE && answersTo(valueBytes, valueStart, row === null ? undefined : rows.hash());
        if (!answered && names?.isGone(row, record) !== true) {
          context.drop('stale', record);
          return;
        }
        const at = answered ? contentAt(valueBytes, valueStart, RIGHT_VALUE) : -1;
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

interface Names {
  readonly leavings: Leavings;
  /** Whether the row as it is now has no result, by an answer that is not to its value. */
  isGone(row: unknown, record: Rec): boolean;
}

function createNames({ id, names }: NodeOf<'joinForeign'>, context: OperatorContext): Names {
  const leavings = createLeavings(context, id, names?.leavings);
  const encodeKey = createForeignKey(context, names!.foreignKey, context.serde(names!.key));
  const key = new ByteWriter(64);
  return {
    leavings,
    isGone(row, record) {
      const { valueBytes, valueStart, valueEnd } = record;
      if (acknowledgementOf(valueBytes, valueStart, valueEnd) === GONE) return !encodeKey(row, record, key);
      const at = contentAt(valueBytes, valueStart, FOREIGN_KEY);
      return at >= 0 && encodeKey(row, record, key) && equalBytes(key.bytes, 0, key.at, valueBytes, at, valueEnd);
    },
  };
}
