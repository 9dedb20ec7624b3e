import type { Graph } from '../graph.ts';
import { factsOf } from './facts.ts';
import type { Command } from './lifecycle.ts';

type Select = NonNullable<Extract<Command, { readonly type: 'start' }>['select']>;

/** The nodes at the top that a partial execution runs, in their order; or an id that is not known. */
export function selectedNodes(
  graph: Graph,
  { nodes, closure }: Select,
  pinned: ReadonlySet<string>,
): { readonly selected: readonly number[] } | { readonly unknown: string } {
  const found = new Set<number>();
  const open: number[] = [];
  const { inner } = factsOf(graph);
  for (const id of nodes) {
    const number = graph.number(id);
    if (number === undefined || graph.nodes[number]!.removed) return { unknown: id };
    open.push(atTheTop(graph, number));
  }
  for (let number = open.pop(); number !== undefined; number = open.pop()) {
    if (found.has(number)) continue;
    found.add(number);
    const node = graph.nodes[number]!;
    // a segment runs as a whole
    if (!pinned.has(node.id)) open.push(...(node.standIn < 0 ? (inner.get(number) ?? []) : [node.standIn]));
    if (closure === 'descendants') for (const edge of node.outgoing) open.push(graph.edges[edge]!.target);
    // what is pinned needs nothing
    if (closure !== 'ancestors' || pinned.has(node.id)) continue;
    for (const edge of node.incoming) open.push(graph.edges[edge]!.source);
  }
  return { selected: factsOf(graph).top.filter((number) => found.has(number)) };
}

function atTheTop(graph: Graph, number: number): number {
  let top = number;
  while (graph.nodes[top]!.parent >= 0) top = graph.nodes[top]!.parent;
  return top;
}
