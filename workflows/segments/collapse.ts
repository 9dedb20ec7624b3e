import type { Json } from '../../core/ids.ts';
import type { Behaviour, NodeType } from '../catalog.ts';
import type { Ports } from '../document.ts';
import type { Graph, GraphEdge, GraphNode, Template } from '../graph.ts';
import type { Segment } from './segments.ts';
import { carriesRecords, isInner, segmentsOf } from './segments-of.ts';

/** What the configuration of the node that stands for a segment says to whoever runs it. */
export interface SegmentConfig {
  /** The definition, by the hash of its document. */
  readonly definition: string;
  readonly segment: number;
  readonly input: Json;
}

/**
 * The graph as the control plane sees it, where a segment is one node: its first source. What arrives at others of its
 * nodes arrives there, by `node.port`. The others are its inner nodes, which live by what it tells of them: to each leads
 * one of the edges of records that led to it, now from the first, and which carries the value of a collect; what is
 * connected by a topic alone gets an edge more. What the segment is made of stays as it was in `records`.
 */
export function withSegments(graph: Graph): Graph {
  const segments = segmentsOf(graph);
  if (segments.length === 0) return graph;
  const work: Work = { nodes: [...graph.nodes], edges: [...graph.edges], hash: graph.hash };
  for (const segment of segments) collapse(graph, segment, work);
  const linked = work.nodes.map(() => ({ incoming: [] as number[], outgoing: [] as number[] }));
  for (const { number, removed, source, target } of work.edges) {
    if (removed) continue;
    linked[source]!.outgoing.push(number);
    linked[target]!.incoming.push(number);
  }
  const nodes = work.nodes.map((node): GraphNode => ({ ...node, ...linked[node.number] }));
  return { ...graph, nodes, edges: work.edges, records: { graph, segments } };
}

interface Work {
  readonly nodes: GraphNode[];
  readonly edges: GraphEdge[];
  readonly hash: string;
}

/** The first of its nodes that no records lead to. */
function firstOf(graph: Graph, { nodes }: Segment): number {
  return nodes.find((number) => !graph.nodes[number]!.incoming.some((edge) => isRecords(graph, edge)))!;
}

function isRecords(graph: Graph, number: number): boolean {
  const edge = graph.edges[number]!;
  const [source, target] = [graph.nodes[edge.source]!, graph.nodes[edge.target]!];
  return !edge.removed && isInner(source) && isInner(target) && carriesRecords(graph.nodes, edge);
}

function collapse(graph: Graph, segment: Segment, work: Work): void {
  const first = firstOf(graph, segment);
  const members = new Set(segment.nodes);
  const ports = new Map<number, string>();
  for (const number of members) {
    const { id, type } = graph.nodes[number]!;
    if (Object.values(type.outputs).some(({ kind }) => kind === 'value')) ports.set(number, `${id}.out`);
  }
  const arriving = segment.nodes
    .flatMap((number) => graph.nodes[number]!.incoming)
    .sort((a, b) => a - b)
    .map((number) => graph.edges[number]!);
  const inner = arriving.filter(({ number, source }) => members.has(source) && isRecords(graph, number));
  const reached = new Set([first]);
  for (const edge of inner) work.edges[edge.number] = { ...edge, removed: true };
  for (let found = true; found; ) {
    found = false;
    for (const edge of inner) {
      const next = reached.has(edge.source) ? edge.target : edge.source;
      if (reached.has(edge.source) === reached.has(edge.target)) continue;
      reached.add(next);
      found = true;
      work.edges[edge.number] = { ...edge, ...wayTo(ports.get(next)), source: first, target: next };
    }
  }
  for (const target of members) {
    if (reached.has(target)) continue;
    const id = `${graph.nodes[first]!.id}>${graph.nodes[target]!.id}`;
    const number = work.edges.find((edge) => edge.id === id)?.number ?? work.edges.length;
    const ends = { ...wayTo(ports.get(target)), source: first, target };
    work.edges[number] = { number, id, ...ends, when: null, map: null, removed: false };
  }
  for (const edge of arriving) {
    if (edge.removed || members.has(edge.source)) continue;
    const { id } = graph.nodes[edge.target]!;
    const targetPort = edge.targetPort === '' ? '' : `${id}.${edge.targetPort}`;
    work.edges[edge.number] = { ...work.edges[edge.number]!, target: first, targetPort };
  }
  for (const number of members) {
    const node = work.nodes[number]!;
    work.nodes[number] =
      number === first
        ? { ...node, ...standIn(node.type, [...ports.values()]), ...configured(work.hash, segment) }
        : { ...node, ...innerOf(node.type), standIn: first, config: {}, template: EMPTY };
  }
}

function wayTo(port: string | undefined): Pick<GraphEdge, 'kind' | 'sourcePort' | 'targetPort'> {
  if (port === undefined) return { kind: 'control', sourcePort: '', targetPort: '' };
  return { kind: 'data', sourcePort: port, targetPort: 'in' };
}

function standIn(type: NodeType, outputs: readonly string[]): Pick<GraphNode, 'type' | 'outputs'> {
  return { type: { ...type, outputs: valuesAt(outputs), behaviour: { kind: 'operator' } }, outputs };
}

function innerOf(type: NodeType): Pick<GraphNode, 'type' | 'outputs' | 'join'> {
  const starts = type.behaviour.kind === 'operator' && type.behaviour.starts === true;
  const behaviour: Behaviour = { kind: 'inner', ...(starts ? { starts } : {}) };
  return { type: { ...type, outputs: valuesAt(['out']), behaviour }, outputs: ['out'], join: { policy: 'all' } };
}

function valuesAt(ports: readonly string[]): Ports {
  return Object.fromEntries(ports.map((port) => [port, { kind: 'value' }]));
}

const EMPTY: Template = { constant: true, fill: () => ({}) };

function configured(definition: string, { number: segment }: Segment): Pick<GraphNode, 'config' | 'template'> {
  const template: Template = {
    constant: false,
    fill: ({ input }) => ({ definition, segment, input: (input ?? null) as Json }) satisfies SegmentConfig as never,
  };
  return { config: {}, template };
}
