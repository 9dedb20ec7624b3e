import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';

/** The key anew; value, time and headers stay. */
export const createSelectKey: OperatorFactory<'selectKey'> = (node, context, [next]) => {
  const fn = context.fn<Fn<unknown>>('fn', node.fn);
  const alone = takesValueAlone(fn);
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        const key = alone ? fn(record.value) : fn(record.value, record.key);
        out.takeValue(record);
        out.setKey(key);
        next(out);
      },
    ],
  };
};
