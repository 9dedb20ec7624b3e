import type { CodeRef, CodeRole, NodeOf, PlanNode } from '../topology/plan.ts';
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
  const functions = adds.map((ref, i) => context.fn<Add>(`add-${i + 1}`, ref));
  let add = functions[0]!;
  // How many parameters it declares decides whether keys are decoded.
  const withKey = functions.some(takesKey);
  const chosen: Add = withKey ? (all, value, key) => add(all, value, key) : (all, value) => add(all, value);
  const inner = createAggregate(
    { ...node, how: 'aggregate', add: adds[0]! },
    {
      ...context,
      fn: <F>(role: CodeRole, ref: CodeRef, owner?: PlanNode) =>
        role === 'add' ? (chosen as F) : context.fn<F>(role, ref, owner),
    },
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
