import type { PlanNode } from '../topology/plan.ts';

/**
 * The nodes of a chain in the order in which their scans run that are pending together: what lies behind a node comes
 * before it, and else each stands in its own place. `nodes` are inputs first.
 */
export function behindFirst(nodes: readonly PlanNode[]): readonly PlanNode[] {
  const behind = new Map<string, PlanNode[]>(nodes.map(({ id }) => [id, []]));
  for (const node of nodes) for (const input of node.inputs) behind.get(input)?.push(node);
  const ordered = new Set<PlanNode>();
  const visit = (node: PlanNode): void => {
    if (ordered.has(node)) return;
    for (const each of behind.get(node.id)!) visit(each);
    ordered.add(node);
  };
  for (const node of nodes) visit(node);
  return [...ordered];
}
