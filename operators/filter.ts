import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory, Screen } from './operators.ts';

/** Passes on the records that its predicate takes, or those that it does not, unchanged. */
export const createFilter: OperatorFactory<'filter'> = (node, context, [next]) => {
  const fn = context.fn<Fn<unknown>>('fn', node.fn);
  const { not } = node;
  if (takesValueAlone(fn)) {
    return {
      inputs: [
        (record) => {
          if (!fn(record.value) === not) next(record);
        },
      ],
      screen: { passes: not ? (value) => !fn(value) : (fn as Screen['passes']), next },
    };
  }
  return {
    inputs: [
      (record) => {
        if (!fn(record.value, record.key) === not) next(record);
      },
    ],
  };
};
