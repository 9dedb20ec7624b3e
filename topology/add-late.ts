import type { PlanBuilder } from './plan-builder.ts';

/** Asks for the late records of a node, in the format of what goes into it; answers the id. */
export function addLate(builder: PlanBuilder, node: string): string {
  const { kind, inputs: ids } = builder.node(node);
  // a table is looked into, and none of its records is late
  const inputs = (kind === 'joinTable' ? ids.slice(0, 1) : ids).map((input) => builder.node(input));
  const [first] = inputs;
  const same = (field: 'key' | 'value') => {
    const name = first?.[field] ?? null;
    return inputs.every((input) => input[field] === name) ? name : null;
  };
  const id = builder.ids.unnamed('late', node);
  return builder.add({ kind: 'late', id, inputs: [node], key: same('key'), value: same('value') });
}
