import type { Plan, PlanNode, Stage } from './plan.ts';

/**
 * The stages of a plan: its nodes cut at topics, then the connected components, where using one store connects
 * as an edge does. Global tables belong to none: every worker has them whole. Nodes and stages stand in the order of the plan. Takes plans with faults too, since the
 * validator compares with it.
 */
export function splitStages(plan: Pick<Plan, 'nodes' | 'topics' | 'stores'>): readonly Stage[] {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const groups = new Groups();
  for (const node of plan.nodes) {
    if (node.kind === 'globalTable') continue;
    groups.add(node.id);
    for (const input of node.inputs) {
      const before = byId.get(input);
      if (before?.kind === 'globalTable') continue;
      if (before !== undefined && before.kind !== 'repartition') groups.join(input, node.id);
      if (before?.kind === 'repartition') groups.join(behind(before.id), node.id);
    }
  }
  for (const store of plan.stores) {
    if (store.kind === 'global') continue;
    for (const user of store.nodes) if (byId.has(user)) groups.join(store.nodes[0]!, user);
  }
  const members = new Map<string, PlanNode[]>();
  for (const node of plan.nodes) {
    if (node.kind === 'globalTable') continue;
    const group = groups.find(node.id);
    const list = members.get(group);
    if (list === undefined) members.set(group, [node]);
    else list.push(node);
  }
  return [...members.values()].map((nodes) => stageOf(nodes, plan, byId));
}

/** The reading end of a repartition: all that follows it reads one topic, and so is one stage. */
function behind(repartition: string): string {
  return `behind ${repartition}`;
}

function stageOf(
  nodes: readonly PlanNode[],
  plan: Pick<Plan, 'topics' | 'stores'>,
  byId: ReadonlyMap<string, PlanNode>,
): Stage {
  const reads: string[] = [];
  const writes: string[] = [];
  let first: string | undefined;
  let connector: string | null = null;
  for (const node of nodes) {
    for (const input of node.inputs) {
      const before = byId.get(input);
      if (before?.kind !== 'repartition') continue;
      first ??= before.id;
      if (!reads.includes(before.topic)) reads.push(before.topic);
    }
    if (node.kind === 'source' || node.kind === 'table') {
      first ??= node.id;
      if (!reads.includes(node.topic)) reads.push(node.topic);
    } else if (node.kind === 'read') {
      first ??= node.id;
      connector ??= node.id;
    } else if ((node.kind === 'to' || node.kind === 'repartition') && !writes.includes(node.topic)) {
      writes.push(node.topic);
    }
  }
  const ids = new Set(nodes.map((node) => node.id));
  const counts = plan.topics.filter((topic) => reads.includes(topic.name)).map((topic) => topic.partitions);
  return {
    id: (first ?? nodes[0]!.id).replaceAll(':', '.'),
    nodes: nodes.map((node) => node.id),
    partitions: Math.max(1, ...counts),
    reads,
    writes,
    stores: plan.stores
      .filter((store) => store.kind !== 'global' && store.nodes.some((id) => ids.has(id)))
      .map((store) => store.name),
    connector,
  };
}

/** Disjoint sets by name. */
class Groups {
  readonly #parents = new Map<string, string>();

  add(name: string): void {
    if (!this.#parents.has(name)) this.#parents.set(name, name);
  }

  find(name: string): string {
    this.add(name);
    let root = name;
    while (this.#parents.get(root) !== root) root = this.#parents.get(root)!;
    let step = name;
    while (step !== root) {
      const next = this.#parents.get(step)!;
      this.#parents.set(step, root);
      step = next;
    }
    return root;
  }

  join(a: string, b: string): void {
    this.#parents.set(this.find(b), this.find(a));
  }
}
