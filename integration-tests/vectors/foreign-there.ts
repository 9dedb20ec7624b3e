import { ALWAYS, FOREIGN_KEY, IF_FOUND, LEAVE, LEAVE_AND_ANSWER } from '../../operators/foreign-messages.ts';
import type { OperatorFactory } from '../../operators/operators.ts';

/**
 * An inner join by foreign key as Kafka Streams has it: no leaving is acknowledged, and no answer that is stale counts.
 */
export const FORGETFUL_SUBSCRIBE: Wrap<'subscribeForeign'> = (own) => (node, context, next) => {
  if (node.how === 'left') return own(node, context, next);
  const keyOf = context.fn<(value: unknown, key: unknown) => unknown>('foreignKey', node.foreignKey);
  const message = context.serde(node.value!);
  let has = false;
  let left = false;
  // what a left join says of a change tells what an inner one says of it
  const operator = own({ ...node, how: 'left' }, context, [
    (record) => {
      record.encodeValue(message);
      const { valueBytes, valueStart } = record;
      const first = valueBytes[valueStart]!;
      const leaves = (first & ASK) === LEAVE;
      if (!leaves && !has) return;
      const ask = leaves ? (has ? LEAVE : LEAVE_AND_ANSWER) : left ? ALWAYS : IF_FOUND;
      left = leaves;
      valueBytes[valueStart] = (first & ~ASK) | ask;
      next[0]!(record);
    },
  ]);
  const take = operator.inputs[0]!;
  return {
    ...operator,
    inputs: [
      (record) => {
        has = record.value !== null && (keyOf(record.value, record.key) ?? null) !== null;
        left = false;
        if (record.latest && record.value !== null && !has) context.drop('null-key', record);
        take(record);
      },
    ],
  };
};

/** An answer does not say which key has no row, so it is one to the value that asked, and to no other. */
export const FORGETFUL_ANSWER: Wrap<'answerForeign'> = (own) => (node, context, next) => {
  const message = context.serde(node.value!);
  return own(node, context, [
    (record) => {
      record.encodeValue(message);
      record.valueBytes[record.valueStart]! &= ~FOREIGN_KEY;
      next[0]!(record);
    },
  ]);
};

type Wrap<Kind extends 'subscribeForeign' | 'answerForeign'> = (own: OperatorFactory<Kind>) => OperatorFactory<Kind>;

/** The half of the first byte of a subscription that says what is asked. */
const ASK = 0x0f;
