import type { Serde, View } from '../schemas/schemas.ts';
import type { PlanIndex } from './stage.ts';

const VIEWS = new WeakMap<Serde<unknown>, Map<string, View<unknown>>>();

/**
 * The view by which all tasks of a thread read the keys or values of one node, in this run of the application and
 * the next. A view is valid only during the call it was handed to, and tasks run one record at a time, so they need
 * no more; and code that reads the fields of one object stays as fast with a hundred partitions as with one.
 */
export function sharedView(
  index: PlanIndex,
  node: string,
  part: 'key' | 'value',
  serde: Serde<unknown>,
): View<unknown> {
  let views = VIEWS.get(serde);
  if (views === undefined) {
    views = new Map();
    VIEWS.set(serde, views);
  }
  const name = `${index.plan.name} ${part} ${node}`;
  const known = views.get(name);
  if (known !== undefined) return known;
  const view = serde.view();
  views.set(name, view);
  return view;
}
