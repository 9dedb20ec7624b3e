import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';

/** To the first arm whose predicate holds; an arm without one takes all. */
export const createBranch: OperatorFactory<'branch'> = (node, context, next) => {
  const tests = node.arms.map((arm) => (arm.fn === null ? undefined : keyed(context.fn<Fn<unknown>>('arm', arm.fn))));
  const count = tests.length;
  return {
    inputs: [
      (record) => {
        for (let i = 0; i < count; i++) {
          const test = tests[i];
          if (test !== undefined && !(test.alone ? test.fn(record.value) : test.fn(record.value, record.key))) continue;
          next[i]!(record);
          return;
        }
        context.drop('no-arm', record);
      },
    ],
  };
};

function keyed(fn: Fn<unknown>): { readonly fn: Fn<unknown>; readonly alone: boolean } {
  return { fn, alone: takesValueAlone(fn) };
}
