import type { OperatorFactory } from './operators.ts';

/** Writes to a topic of the user's. A record that nothing has changed is copied as it lies. */
export const createTo: OperatorFactory<'to'> = (node, context) => {
  const output = context.output(node.topic);
  return { inputs: [(record) => output.write(record)] };
};
