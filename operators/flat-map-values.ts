import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';

/** Any number of values for one, each all the way down before the next is made; key, time and headers stay. */
export const createFlatMapValues: OperatorFactory<'flatMapValues'> = (node, context, [next]) => {
  const fn = context.fn<Fn<Iterable<unknown>>>('fn', node.fn);
  const alone = takesValueAlone(fn);
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        for (const value of alone ? fn(record.value) : fn(record.value, record.key)) {
          out.takeKey(record);
          out.setValue(value);
          next(out);
        }
      },
    ],
  };
};
