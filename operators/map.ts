import type { Fn } from './functions.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';

/** Key and value anew; time and headers stay. */
export const createMap: OperatorFactory<'map'> = (node, context, [next]) => {
  const fn = context.fn<Fn<readonly [unknown, unknown]>>('fn', node.fn);
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        const pair = fn(record.value, record.key);
        out.takeOrigin(record);
        out.setKey(pair[0]);
        out.setValue(pair[1]);
        next(out);
      },
    ],
  };
};
