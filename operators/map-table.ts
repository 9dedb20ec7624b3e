import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { createStoredOlds, createTableOutput } from './table-output.ts';

/** The values of a table anew. Deletions pass by the function; where it answers null, the row is deleted. */
export const createMapTable: OperatorFactory<'mapTable'> = (node, context, [next]) => {
  const fn = context.fn<Fn<unknown>>('fn', node.fn);
  const alone = takesValueAlone(fn);
  const map = (value: unknown, record: Rec): unknown =>
    value === null ? null : ((alone ? fn(value) : fn(value, record.key)) ?? null);
  const asked = context.wantsOld;
  const stored = createStoredOlds(node, context, asked);
  const push = createTableOutput(node, context, next);
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        const value = map(record.value, record);
        if (asked) out.old = stored !== undefined ? stored.find(record) : map(record.old, record);
        out.takeKey(record);
        out.setValue(value);
        push(out);
      },
    ],
  };
};
