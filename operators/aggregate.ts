import { PLAIN } from '../state/state.ts';
import { createCogroup } from './cogroup.ts';
import { createCountAggregate } from './count-aggregate.ts';
import { createCustomAggregate } from './custom-aggregate.ts';
import { createFold } from './fold.ts';
import { NOWHERE } from './fuse.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { createSessionAggregate } from './session-aggregate.ts';
import { createSlidingAggregate } from './sliding-aggregate.ts';
import { createWindowedAggregate } from './windowed-aggregate.ts';

/**
 * Count, reduce and aggregate. Every update is passed on at once, with the largest time that went into its row.
 * Null keys are dropped. Null values are dropped without windows and in sliding ones, and go to the aggregate in all
 * others, as Kafka Streams has it.
 */
export const createAggregate: OperatorFactory<'aggregate'> = (node, context, next) => {
  if (node.adds !== undefined) {
    const { adds, ...one } = node;
    return createCogroup(one, adds, context, next, createAggregate);
  }
  const { window } = node;
  if (window === null) return createPlainAggregate(node, context, next);
  switch (window.type) {
    case 'sliding':
      return createSlidingAggregate(node, context, next);
    case 'session':
      return createSessionAggregate(node, context, next);
    case 'count':
      return createCountAggregate(node, context, next);
    case 'custom':
      return createCustomAggregate(node, context, next);
    default:
      return createWindowedAggregate(node, window, context, next);
  }
};

const createPlainAggregate: OperatorFactory<'aggregate'> = (node, context, next) => {
  const { key: keySerde } = context.storeSerdes(node.store);
  const updates = next[0]!;
  const wanted = updates !== NOWHERE;
  const fold = createFold(node, context, wanted);
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        if (record.keyIsNull) {
          context.drop('null-key', record);
          return;
        }
        if (record.valueIsNull) {
          context.drop('null-value', record);
          return;
        }
        record.encodeKey(keySerde);
        out.takeKey(record);
        out.latest = true;
        fold(PLAIN, record, out);
        if (wanted) updates(out);
      },
    ],
  };
};
