import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';

/** The value anew; key, time and headers stay. */
export const createMapValues: OperatorFactory<'mapValues'> = (node, context, [next]) => {
  const fn = context.fn<Fn<unknown>>('fn', node.fn);
  const out = new Rec();
  if (takesValueAlone(fn)) {
    return {
      inputs: [
        (record) => {
          out.takeKey(record);
          out.setValue(fn(record.value));
          next(out);
        },
      ],
    };
  }
  return {
    inputs: [
      (record) => {
        const value = fn(record.value, record.key);
        out.takeKey(record);
        out.setValue(value);
        next(out);
      },
    ],
  };
};
