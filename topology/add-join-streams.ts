import { millis, signedMillis } from '../core/duration.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { StreamJoinOptions } from './handles.ts';
import type { NodeOf } from './plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { Lambda } from './wire.ts';

/** A join of two streams with its stores: a buffer a side, and for left and outer joins what still waits for a partner. */
export function addJoinStreams(
  builder: PlanBuilder,
  left: string,
  right: string,
  how: NodeOf<'joinStreams'>['how'],
  options: StreamJoinOptions<unknown, unknown, Lambda>,
): string {
  const { name, within } = options;
  const id = builder.ids.named('joinStreams', name);
  const beforeMs = signedMillis(within.before, `before of join ${name}`);
  const afterMs = signedMillis(within.after, `after of join ${name}`);
  const graceMs = millis(within.grace ?? 0, `the grace of join ${name}`);
  const { key } = builder.node(left);
  const valueSerde = (input: string, given: Serde<unknown> | undefined) =>
    (given === undefined ? builder.node(input).value : builder.serde(given)) ?? '';
  const store = (kind: 'join' | 'pending', side: string, value: string, kept: number | null) =>
    builder.store({ name: `${name}-${side}`, kind, key: key ?? '', value, retentionMs: kept }, id);
  const retentionMs = beforeMs + afterMs + graceMs;
  const leftValue = valueSerde(left, options.left);
  const leftStore = store('join', 'left', leftValue, retentionMs);
  const rightValue = valueSerde(right, options.right);
  const itself = left === right && leftValue === rightValue;
  const rightStore = itself ? leftStore : store('join', 'right', rightValue, retentionMs);
  const pendingStore = how === 'inner' ? null : store('pending', 'pending', leftValue, null);
  return builder.add({
    kind: 'joinStreams',
    id,
    inputs: [left, right],
    key,
    value: null,
    how,
    beforeMs,
    afterMs,
    graceMs,
    leftStore,
    rightStore,
    pendingStore,
    merge: builder.fn(id, 'merge', options.merge),
  });
}
