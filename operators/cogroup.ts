import type { CodeRef, NodeOf } from '../topology/plan.ts';
import { takesKey } from './functions.ts';
import type { Operator, OperatorContext, OperatorFactory, Push } from './operators.ts';

type Add = (aggregate: unknown, value: unknown, key?: unknown) => unknown;

/**
 * Several grouped streams with one aggregate: each input has its own function to add by. It is an aggregate whose
 * function is chosen by the input at hand; windows, clock and lateness are those of one operator, whichever input a
 * record comes by.
 */
export function createCogroup(
  node: NodeOf<'aggregate'>,
  adds: readonly CodeRef[],
  context: OperatorContext,
  next: readonly Push[],
  createAggregate: OperatorFactory<'aggregate'>,
): Operator {
  const functions = adds.map((ref) => context.fn<Add>(ref));
  let add = functions[0]!;
  const ref = `${node.id}/add`;
  // How many parameters it declares decides whether keys are decoded.
  const withKey = functions.some(takesKey);
  const chosen: Add = withKey ? (all, value, key) => add(all, value, key) : (all, value) => add(all, value);
  const inner = createAggregate(
    { ...node, how: 'aggregate', add: ref },
    { ...context, fn: <F>(wanted: CodeRef) => (wanted === ref ? (chosen as F) : context.fn<F>(wanted)) },
    next,
  );
  const push = inner.inputs[0]!;
  return {
    ...inner,
    inputs: functions.map((each) => (record) => {
      add = each;
      push(record);
    }),
  };
}
