import { howOf } from '../container-parts.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { keyOf } from './row.ts';

/** What follows from a graph and is asked again and again: made once for each. */
export interface Facts {
  /** Nodes at the top that are PENDING from the start. */
  readonly top: readonly number[];
  readonly topLeaves: readonly number[];
  readonly nodes: readonly NodeFacts[];
  /** Of nodes that stand for a segment: its inner nodes. */
  readonly inner: ReadonlyMap<number, readonly number[]>;
  /** What compensates another, with that other one. */
  readonly undoes: ReadonlyMap<number, number>;
}

export interface NodeFacts {
  /** Its key at the top. */
  readonly key: string;
  /** A failure of it has somewhere to go. */
  readonly handled: boolean;
  /** Of containers, by part: of a `try` body, catch and finally, else the body alone. */
  readonly parts: readonly Part[];
  /** Incoming edges by port, of those that carry something. */
  readonly ports: readonly { readonly port: string; readonly edges: readonly number[] }[];
}

export interface Part {
  readonly nodes: readonly number[];
  readonly entries: readonly number[];
  /** Nodes without outgoing edges: what a run gives. */
  readonly leaves: readonly number[];
}

const KNOWN = new WeakMap<Graph, Facts>();
const ROLES = ['body', 'catch', 'finally'] as const;

export function factsOf(graph: Graph): Facts {
  let facts = KNOWN.get(graph);
  if (facts === undefined) {
    facts = make(graph);
    KNOWN.set(graph, facts);
  }
  return facts;
}

function make(graph: Graph): Facts {
  const undoes = new Map<number, number>();
  for (const { compensation, number, removed } of graph.nodes) {
    if (compensation >= 0 && !removed) undoes.set(compensation, number);
  }
  const live = (number: number) => !graph.nodes[number]!.removed && !undoes.has(number);
  const inner = new Map<number, number[]>();
  for (const { number, standIn, removed } of graph.nodes) {
    if (standIn < 0 || removed) continue;
    const others = inner.get(standIn);
    if (others === undefined) inner.set(standIn, [number]);
    else others.push(number);
  }
  const top = graph.nodes.filter((node) => node.parent < 0 && live(node.number)).map((node) => node.number);
  return {
    top,
    topLeaves: top.filter((number) => isLeaf(graph, number)),
    nodes: graph.nodes.map((node) => ({
      key: keyOf(node.number, ''),
      handled: isHandled(graph, node),
      parts: node.children.length === 0 ? [] : partsOf(graph, node, live),
      ports: portsOf(graph, node),
    })),
    inner,
    undoes,
  };
}

/** Within a segment nodes have edges of records that the control plane does not see. */
function isLeaf({ nodes, records }: Graph, number: number): boolean {
  const all = records === undefined ? nodes : records.graph.nodes;
  return nodes[number]!.outgoing.length === 0 && all[number]!.outgoing.length === 0;
}

function isHandled(graph: Graph, node: GraphNode): boolean {
  if (node.onError === 'continue' || node.onError === 'route') return true;
  return node.outgoing.some((number) => {
    const edge = graph.edges[number]!;
    const { policy } = graph.nodes[edge.target]!.join;
    return edge.kind === 'error' || policy === 'all-done' || policy === 'when';
  });
}

function partsOf(graph: Graph, node: GraphNode, live: (number: number) => boolean): readonly Part[] {
  const children = node.children.filter(live);
  return (howOf(node.type) === 'try' ? ROLES : ROLES.slice(0, 1)).map((role) => {
    const nodes = children.filter((number) => graph.nodes[number]!.role === role);
    return {
      nodes,
      entries: nodes.filter((number) => graph.nodes[number]!.incoming.length === 0),
      leaves: nodes.filter((number) => isLeaf(graph, number)),
    };
  });
}

function portsOf(graph: Graph, node: GraphNode): NodeFacts['ports'] {
  const ports = new Map<string, number[]>();
  for (const number of node.incoming) {
    const edge = graph.edges[number]!;
    if (edge.kind === 'control' || edge.targetPort === '') continue;
    const edges = ports.get(edge.targetPort);
    if (edges === undefined) ports.set(edge.targetPort, [number]);
    else edges.push(number);
  }
  return [...ports].map(([port, edges]) => ({ port, edges }));
}

/** The part of a container that its iteration runs. */
export function partOf(facts: Facts, node: GraphNode, index: number): Part {
  const { parts } = facts.nodes[node.number]!;
  return (parts.length === 3 ? parts[index] : parts[0]) ?? NOTHING;
}

const NOTHING: Part = { nodes: [], entries: [], leaves: [] };
