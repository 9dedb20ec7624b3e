import type { OperatorFactory } from './operators.ts';

/**
 * Writes to the internal topic from which the next stage reads. Records without a key have no place there, unless
 * the plan says that something behind it takes them.
 */
export const createRepartition: OperatorFactory<'repartition'> = (node, context) => {
  const output = context.output(node.topic);
  // answers go back to where they were asked for
  if (context.node(node.inputs[0]!).kind === 'answerForeign') {
    return { inputs: [(record) => output.write(record, record.partition)] };
  }
  if (node.nullKeys === 'keep') return { inputs: [(record) => output.write(record)] };
  return {
    inputs: [
      (record) => {
        if (record.keyIsNull) context.drop('null-key', record);
        else output.write(record);
      },
    ],
  };
};
