import { type Fn, takesValueAlone } from './functions.ts';
import type { OperatorFactory } from './operators.ts';

/** Shows each record to a function, and passes none on. After a cold read or a crash it may see one again. */
export const createForEach: OperatorFactory<'forEach'> = (node, context) => {
  const fn = context.fn<Fn<void>>('fn', node.fn);
  if (takesValueAlone(fn)) return { inputs: [(record) => fn(record.value)] };
  return { inputs: [(record) => fn(record.value, record.key)] };
};
