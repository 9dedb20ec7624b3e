import { PLAIN } from '../state/state.ts';
import { createFold } from './fold.ts';
import { NOWHERE } from './fuse.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { createWindowedAggregate } from './windowed-aggregate.ts';

/**
 * Count, reduce and aggregate. Every update is passed on at once, with the largest time that went into its row.
 * Null keys are dropped. Null values are dropped without windows, and go to the aggregate with them, as Kafka
 * Streams has it.
 */
export const createAggregate: OperatorFactory<'aggregate'> = (node, context, next) => {
  if (node.window !== null) return createWindowedAggregate(node, node.window, context, next);
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
