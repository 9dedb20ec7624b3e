import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';

/** Shows each record to a function. After a cold read or a crash it may see one again. */
export const createPeek: OperatorFactory<'peek'> = (node, context, [next]) => {
  const fn = context.fn<Fn<void>>('fn', node.fn);
  const alone = takesValueAlone(fn);
  return {
    inputs: [
      (record) => {
        if (alone) fn(record.value);
        else fn(record.value, record.key);
        next(record);
      },
    ],
  };
};
