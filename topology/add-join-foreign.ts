import { bytes, int64, type Serde } from '../schemas/schemas.ts';
import { addRepartition } from './add-repartition.ts';
import { rowsOf } from './add-table.ts';
import type { JoinForeignOptions } from './foreign-handles.ts';
import type { ForeignNames } from './join-nodes.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { Lambda, Place, Stored } from './wire.ts';

type Options = JoinForeignOptions<Lambda, Lambda, unknown>;

/**
 * Three nodes, and the internal topics between them: what becomes of rows of the left table goes to the partition of
 * their foreign key, the answers go back. An inner join counts what it has not heard of yet, in a store that both nodes
 * on the left have.
 */
export function addJoinForeign(
  builder: PlanBuilder,
  how: 'inner' | 'left',
  left: Place,
  right: Place,
  options: Options,
): Stored {
  const { name } = options;
  const [leftNode, rightNode] = [builder.node(left.id), builder.node(right.id)];
  const leftValue = leftNode.value ?? '';
  const rightValue = rightNode.value ?? '';
  const message = builder.serde(bytes() as Serde<unknown>);

  const subscriptions = `${name}.subscriptions`;
  const sender = builder.ids.named('subscribeForeign', name);
  const foreignKey = builder.fn(sender, 'foreignKey', options.foreignKey);
  const sent = { key: rightNode.key, value: message };
  const leavings = how === 'inner' ? addLeavings(builder, `${name}.leavings`, leftNode.key ?? '', sender) : undefined;
  builder.add({
    ...{ kind: 'subscribeForeign', id: sender, inputs: [left.id], ...sent, how, foreignKey, leftValue },
    ...(leavings === undefined ? {} : { leavings, partitions: countOf(right) }),
  });
  const toRight = addRepartition(builder, sender, subscriptions, countOf(right), sent);

  const answerer = builder.ids.named('answerForeign', name);
  const keys = { key: rightNode.key ?? '', value: leftNode.key ?? '' };
  builder.store({ name: subscriptions, kind: 'subscription', ...keys, retentionMs: null }, answerer);
  const answered = { key: leftNode.key, value: message };
  builder.add({
    ...{ kind: 'answerForeign', id: answerer, inputs: [toRight, right.id], ...answered },
    ...{ how, store: subscriptions, rightValue },
  });
  builder.looksUp(right.id, answerer);
  const back = addRepartition(builder, answerer, `${name}.answers`, countOf(left), answered);

  const { id, value, store } = rowsOf(builder, 'joinForeign', left, null, options, name);
  builder.add({
    ...{ kind: 'joinForeign', id, inputs: [left.id, back], key: leftNode.key, value },
    ...{ how, store, leftValue, rightValue, merge: builder.fn(id, 'merge', options.merge) },
    ...(leavings === undefined ? {} : { names: namesOf(builder, id, options, rightNode.key ?? '', leavings) }),
  });
  builder.looksUp(left.id, id);
  return { id, partitions: left.partitions, store };
}

function addLeavings(builder: PlanBuilder, name: string, key: string, user: string): string {
  const value = builder.serde(int64() as Serde<unknown>);
  return builder.store({ name, kind: 'leavings', key, value, retentionMs: null }, user);
}

function namesOf(builder: PlanBuilder, id: string, options: Options, key: string, leavings: string): ForeignNames {
  builder.reads(leavings, id);
  return { foreignKey: builder.fn(id, 'foreignKey', options.foreignKey), key, leavings };
}

/** A stale key is told where the table was made. */
function countOf({ partitions }: Place): number {
  return partitions === 'stale' ? 1 : partitions;
}
