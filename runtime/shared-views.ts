import { shared } from '../operators/operators.ts';
import type { Serde, View } from '../schemas/schemas.ts';
import type { PlanIndex } from './stage.ts';

/** The view by which all tasks of a thread read the keys or values that come in at one node. */
export function sharedView(
  index: PlanIndex,
  node: string,
  part: 'key' | 'value',
  serde: Serde<unknown>,
): View<unknown> {
  return shared(serde, `${index.plan.name} ${part} ${node}`, () => serde.view());
}
