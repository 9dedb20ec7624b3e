import type { Json, Millis } from '../../core/ids.ts';
import type { Graph } from '../graph.ts';
import {
  begunSegments,
  type Header,
  keptChildren,
  keyOf,
  type NodeKey,
  type NodeRow,
  partsOf,
  type Rows,
  successor,
} from '../lifecycle/lifecycle.ts';
import { FIGURES } from '../lifecycle/segment-figures.ts';
import type { SegmentFigures } from '../segments/segments.ts';
import type { EdgeView, ExecutionView, NodeView } from '../workflows.ts';
import type { Folded } from './memory-rows.ts';

/** An execution as the outside sees it. */
export function viewOf({ rows, graph, output, endedAt }: Folded): ExecutionView {
  const header = rows.header()!;
  const { execution: id, workflow, version, definition, revision, seq, status, phase, degraded, ending } = header;
  const { mode, input, error, startedAt, user, labels, counts } = header;
  const found = new Map<NodeKey, NodeRow>(rows.allNodes());
  const nodes: NodeView[] = [];
  // what undoes another is not there before it is wanted
  const undoing = new Set(graph.nodes.map(({ compensation }) => compensation));
  for (const node of graph.nodes) {
    const isExpected = !node.removed && node.parent < 0 && !undoing.has(node.number);
    if (isExpected && !found.has(`${node.number}`)) nodes.push(unknownNode(graph, node, startedAt));
  }
  const ports = new Map<NodeKey, readonly string[]>();
  for (const [node, iteration, names] of rows.outputs()) ports.set(keyOf(node, iteration), names);
  for (const [key, row] of found) nodes.push(nodeView(rows, graph, key, row, ports.get(key) ?? [], startedAt));
  nodes.sort((a, b) => graph.number(a.id)! - graph.number(b.id)! || (a.iteration < b.iteration ? -1 : 1));
  return {
    ...{ id, workflow, version, definition, revision, seq, status, phase, degraded, ending, mode, input, output },
    continues: header.continues?.execution ?? null,
    continuedBy: header.savepoint === null ? null : successor(header),
    kept: header.savepoint === null ? null : keptOf(rows, graph),
    ...{ error: error as Json, startedAt, endedAt, user, labels, counts, nodes, session: sessionOf(header) },
    edges: edgesOf(rows, graph, ports),
  };
}

function keptOf(rows: Rows, graph: Graph): ExecutionView['kept'] {
  const segments = begunSegments(rows, graph).map(({ node }) => graph.nodes[node]!.id);
  return { segments, executions: Object.values(keptChildren(rows, graph)).map(({ execution }) => execution) };
}

function sessionOf({ session }: Header): ExecutionView['session'] {
  if (session === null) return null;
  const { name, id, isHeld, since } = session;
  return { name, id, isHeld, since };
}

/** Of segments that have told figures. */
function edgesOf(rows: Rows, graph: Graph, ports: ReadonlyMap<NodeKey, readonly string[]>): readonly EdgeView[] {
  const found: EdgeView[] = [];
  for (const [key, names] of ports) {
    if (!names.includes(FIGURES)) continue;
    const { node, iteration } = partsOf(key);
    const { edges = {} } = figuresOf(rows, graph.nodes[node]!, iteration) ?? {};
    for (const [id, records] of Object.entries(edges)) found.push({ id, iteration, records });
  }
  return found;
}

/** The last figures of the segment that a node runs in, or stands for. */
function figuresOf(rows: Rows, { number, standIn }: Graph['nodes'][number], iteration: string) {
  const told = rows.output(keyOf(standIn < 0 ? number : standIn, iteration), FIGURES);
  return (told ?? null) as unknown as Partial<SegmentFigures> | null;
}

/** The id of the node that stands for the segment of a node, where it is of one. */
function segmentOf(graph: Graph, { id, standIn, type }: Graph['nodes'][number]): string | null {
  if (standIn >= 0) return graph.nodes[standIn]!.id;
  return type.behaviour.kind === 'operator' ? id : null;
}

function nodeView(
  rows: Rows,
  graph: Graph,
  key: NodeKey,
  row: NodeRow,
  ports: readonly string[],
  startedAt: Millis,
): NodeView {
  const { node, iteration } = partsOf(key);
  const { id, type } = graph.nodes[node]!;
  const segment = segmentOf(graph, graph.nodes[node]!);
  const told = segment === null ? undefined : figuresOf(rows, graph.nodes[node]!, iteration)?.nodes?.[id];
  const { status: _, ...figures } = told ?? {};
  const { status, attempt, error, wait } = row;
  const since = row.since === 0 ? startedAt : row.since;
  // what the engine keeps there for itself begins so: figures, an input that was given by hand
  const shown = ports.filter((port) => !port.startsWith('#'));
  const outputs = Object.fromEntries(shown.map((port) => [port, rows.output(key, port) ?? null]));
  return {
    ...{ id, type: type.name, iteration, status, attempt, since, outputs, error: error as Json, wait, segment },
    figures: told === undefined ? null : (figures as NodeView['figures']),
  };
}

function unknownNode(graph: Graph, node: Graph['nodes'][number], since: number): NodeView {
  const none = { iteration: '', status: 'PENDING', attempt: 0, outputs: {}, error: null, wait: null } as const;
  return { id: node.id, type: node.type.name, since, ...none, segment: segmentOf(graph, node), figures: null };
}
