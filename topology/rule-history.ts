import { fault, type PlanFault } from './faults.ts';
import { historyOf, type NodeOf, type Plan, type PlanNode, type PlanStore, rowsBehind } from './plan.ts';

/** A join waits only for what the history of its table can still answer. */
export function historyFaults(plan: Plan): readonly PlanFault[] {
  const stores = new Map(plan.stores.map((store) => [store.name, store]));
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const found: PlanFault[] = [];
  for (const node of plan.nodes) {
    const wrong = node.kind === 'joinTable' ? graceProblem(node, byId, stores) : undefined;
    if (wrong !== undefined) found.push(fault('history', node.id, `${node.id}: ${wrong}`));
  }
  for (const store of plan.stores) {
    if (store.kind !== 'versioned' || stores.get(historyOf(store.name))?.kind === 'history') continue;
    const message = `store ${store.name} is versioned and lacks its store ${historyOf(store.name)}; add it with kind history`;
    found.push(fault('history', store.nodes[0] ?? null, message));
  }
  return found;
}

function graceProblem(
  { grace, inputs }: NodeOf<'joinTable'>,
  byId: ReadonlyMap<string, PlanNode>,
  stores: ReadonlyMap<string, PlanStore>,
): string | undefined {
  if (grace === null) return undefined;
  const { ms } = grace;
  if (!Number.isSafeInteger(ms) || ms < 0) return `the grace is ${ms} ms; say a whole number of at least 0`;
  const name = rowsBehind(inputs[1] ?? '', (id) => byId.get(id));
  const store = stores.get(name ?? '');
  if (store?.kind !== 'versioned') {
    const what = name === null ? 'a join of tables' : `store ${name}`;
    return `a grace of ${ms} ms needs a table with history, and ${what} keeps none; give the table a history of at least ${ms} ms`;
  }
  if (ms > (store.retentionMs ?? 0)) {
    return `the grace of ${ms} ms is longer than the history of store ${name}, ${store.retentionMs} ms; shorten the grace, or keep a history of at least ${ms} ms`;
  }
  return undefined;
}
