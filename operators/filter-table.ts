import { rowsBehind } from '../topology/plan.ts';
import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { createStoredOlds, createTableOutput } from './table-output.ts';

/**
 * The rows of a table that its predicate takes. An update that it does not take is a deletion. Deletions of rows that
 * were not there end here; with `deletions: 'all'` they go on, unless somebody behind asks for old values. Behind a
 * table with history every update goes on: one of an earlier version says nothing about the row that it would replace.
 */
export const createFilterTable: OperatorFactory<'filterTable'> = (node, context, [next]) => {
  const fn = context.fn<Fn<unknown>>('fn', node.fn);
  const alone = takesValueAlone(fn);
  const { not } = node;
  const takes = (value: unknown, record: Rec): boolean =>
    value !== null && !(alone ? fn(value) : fn(value, record.key)) === not;
  const rows = rowsBehind(node.inputs[0]!, (id) => context.node(id));
  const versioned = rows !== null && context.storeSerdes(rows).kind === 'versioned';
  const asked = context.wantsOld || node.deletions === 'known';
  const stored = createStoredOlds(node, context, asked);
  const push = createTableOutput(node, context, next);
  const out = new Rec();
  const unchanged = !context.wantsOld && node.store === null;
  return {
    inputs: [
      (record) => {
        const taken = takes(record.value, record);
        if (unchanged && taken) {
          next(record);
          return;
        }
        if (asked) {
          out.old = stored !== undefined ? stored.find(record) : takes(record.old, record) ? record.old : null;
          if (!taken && out.old === null && !versioned) return;
        }
        out.takeKey(record);
        if (taken) out.takeValue(record);
        else out.setValue(null);
        push(out);
      },
    ],
  };
};
