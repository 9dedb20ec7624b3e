import type { Fn } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';

type Pair = readonly [unknown, unknown];

/** Any number of records for one; each goes all the way down before the next is made. */
export const createFlatMap: OperatorFactory<'flatMap'> = (node, context, [next]) => {
  const fn = context.fn<Fn<Iterable<Pair>>>('fn', node.fn);
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        for (const pair of fn(record.value, record.key)) {
          out.takeOrigin(record);
          out.setKey(pair[0]);
          out.setValue(pair[1]);
          next(out);
        }
      },
    ],
  };
};
