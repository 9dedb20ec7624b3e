import type { Json } from '../../core/ids.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { buildProgram } from './build-program.ts';
import type { Segment } from './segments.ts';

/** The segments of a graph, by their first nodes. */
export function segmentsOf(graph: Pick<Graph, 'nodes' | 'edges'>): readonly Segment[] {
  return connected(graph).map((nodes, number) => ({
    number,
    nodes,
    program: (run) => buildProgram(nodes, run),
  }));
}

/** Sets of nodes that are connected by edges of records, or by a topic that one writes and another reads. */
export function connected({ nodes, edges }: Pick<Graph, 'nodes' | 'edges'>): readonly (readonly number[])[] {
  const parents = new Map<number, number>();
  const top = (number: number): number => {
    let at = number;
    for (let up = parents.get(at)!; up !== at; up = parents.get(at)!) at = up;
    return at;
  };
  const join = (a: number, b: number) => {
    const [one, other] = [top(a), top(b)];
    parents.set(Math.max(one, other), Math.min(one, other));
  };
  const inner = nodes.filter(isInner);
  for (const { number } of inner) parents.set(number, number);
  for (const edge of edges) {
    if (edge.removed || !parents.has(edge.source) || !parents.has(edge.target)) continue;
    if (nodes[edge.source]!.parent === nodes[edge.target]!.parent && carriesRecords(nodes, edge)) {
      join(edge.source, edge.target);
    }
  }
  const writers = new Map(
    inner.filter(({ type }) => type.name === 'sink.topic').map((node) => [topicName(node), node]),
  );
  for (const node of inner) {
    const writer = node.type.name === 'source.topic' ? writers.get(topicName(node)) : undefined;
    if (writer !== undefined) join(writer.number, node.number);
  }
  const sets = new Map<number, number[]>();
  for (const { number } of inner) {
    const first = top(number);
    sets.set(first, [...(sets.get(first) ?? []), number]);
  }
  return [...sets.values()];
}

export function isInner(node: GraphNode): boolean {
  return (
    !node.removed &&
    !node.disabled &&
    node.type.behaviour.kind === 'operator' &&
    node.type.behaviour.build !== undefined
  );
}

/** Whether an edge between two nodes of the data plane is one of records, and not of a value. */
export function carriesRecords(
  nodes: readonly GraphNode[],
  edge: { readonly source: number; readonly sourcePort: string; readonly target: number; readonly kind: string },
): boolean {
  const port = nodes[edge.source]!.type.outputs[edge.sourcePort];
  return edge.kind === 'data' && port !== undefined && port.kind !== 'value';
}

/** That a source or a sink of a topic names. */
export function topicName({ config }: GraphNode): Json {
  return (config as { readonly [name: string]: Json })['topic'] ?? null;
}
