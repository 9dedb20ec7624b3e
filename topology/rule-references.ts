import { isExpression } from './expr.ts';
import { fault, type PlanFault } from './faults.ts';
import { codeOf } from './node-code.ts';
import { storesOf } from './node-stores.ts';
import type { Plan, PlanNode } from './plan.ts';
import { lookedInto, storesBehind } from './table-rows.ts';

/** Everything a node names is there, and its inputs stand before it. */
export function referenceFaults(plan: Plan): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const ids = new Set(plan.nodes.map((node) => node.id));
  const topics = new Set(plan.topics.map((topic) => topic.name));
  const stores = new Set(plan.stores.map((store) => store.name));
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const before = new Set<string>();
  const tell = (node: string | null, message: string) => found.push(fault('reference', node, message));
  for (const node of plan.nodes) {
    for (const input of node.inputs) {
      if (!ids.has(input))
        tell(node.id, `${node.id} takes records of ${input}, which is not in the plan; add it or correct the id`);
      else if (!before.has(input))
        tell(node.id, `${node.id} takes records of ${input}, which stands behind it; put it before`);
    }
    before.add(node.id);
    if ('topic' in node && !topics.has(node.topic)) {
      tell(node.id, `${node.id} uses topic ${node.topic}, which the plan does not declare; add it to the topics`);
    }
    for (const store of usedStores(node, byId)) {
      if (!stores.has(store)) {
        tell(node.id, `${node.id} uses store ${store}, which the plan does not declare; add it to the stores`);
      } else if (!plan.stores.some((each) => each.name === store && each.nodes.includes(node.id))) {
        tell(node.id, `store ${store} does not list ${node.id}, which uses it; add it to the store's nodes`);
      }
    }
    for (const { ref } of codeOf(node)) {
      if (!ref.startsWith(`${node.id}/`) && !isExpression(ref))
        tell(node.id, `${node.id} refers to the code of another node: ${ref}`);
    }
  }
  for (const store of plan.stores) {
    for (const user of store.nodes) {
      if (!ids.has(user)) tell(null, `store ${store.name} lists node ${user}, which is not in the plan; remove it`);
    }
  }
  return found;
}

/** What a node writes, and what it looks rows up in. */
function usedStores(node: PlanNode, byId: ReadonlyMap<string, PlanNode>): readonly string[] {
  const own = storesOf(node);
  const looked = lookedInto(node);
  if (looked.length === 0) return own;
  const behind = looked.flatMap((input) => storesBehind(input, (id) => byId.get(id)));
  const buffer = node.kind === 'joinTable' && node.grace !== null ? [node.grace.buffer] : [];
  return [...new Set([...own, ...behind, ...buffer])];
}
