import type { MetricRow } from '../../telemetry/telemetry.ts';
import type { PlanNode } from '../../topology/plan.ts';
import type { Graph, GraphNode } from '../graph.ts';
import type { NodeFigures, SegmentProgram } from './segments.ts';

/** What the metrics of a run say, in the words of the document. */
export interface Counted {
  readonly nodes: { readonly [id: string]: Omit<NodeFigures, 'status'> };
  readonly edges: { readonly [id: string]: number };
}

export function countedOf(
  graph: Graph,
  numbers: readonly number[],
  made: SegmentProgram,
  rows: readonly MetricRow[],
): Counted {
  const metrics = new Metrics(rows);
  const edges = edgeCounts(graph, numbers, made, metrics);
  const nodes: { [id: string]: Omit<NodeFigures, 'status'> } = {};
  for (const number of numbers)
    nodes[graph.nodes[number]!.id] = nodeFigures(graph, graph.nodes[number]!, made, metrics, edges);
  return { nodes, edges: Object.fromEntries(edges) };
}

/** Sums over tasks. */
class Metrics {
  readonly #rows: readonly MetricRow[];

  constructor(rows: readonly MetricRow[]) {
    this.#rows = rows;
  }

  sum(name: string, labels: { readonly [label: string]: string } = {}): number {
    const wanted = Object.entries(labels);
    let sum = 0;
    for (const row of this.#rows) {
      if (row.name === name && wanted.every(([label, value]) => row.labels[label] === value)) sum += row.values[0]!;
    }
    return sum;
  }

  reasons(node: string): readonly (readonly [reason: string, count: number])[] {
    return this.#rows
      .filter(({ name, labels }) => name === 'nodeflow_dropped_records_total' && labels['node'] === node)
      .map(({ labels, values }) => [labels['reason'] ?? '', values[0]!] as const);
  }
}

/** By id of the edge: what was pushed from the nodes of the plan on one side to those on the other. */
function edgeCounts(
  graph: Graph,
  numbers: readonly number[],
  { program, owners }: SegmentProgram,
  metrics: Metrics,
): ReadonlyMap<string, number> {
  const between = new Map<string, number>();
  for (const node of program.plan.nodes) {
    for (const from of new Set(node.inputs)) {
      const pair = `${owners.get(from)} > ${owners.get(node.id)}`;
      between.set(pair, (between.get(pair) ?? 0) + pushed(node, from, metrics));
    }
  }
  const counts = new Map<string, number>();
  for (const number of numbers) {
    const node = graph.nodes[number]!;
    for (const edge of node.outgoing.map((each) => graph.edges[each]!)) {
      const target = graph.nodes[edge.target]!;
      if (edge.removed || !numbers.includes(edge.target)) continue;
      const count =
        between.get(`${node.id} > ${target.id}`) ??
        aroundWindows(graph, node, target, between) ??
        takenAsTable(target, program.plan.nodes, owners, metrics);
      counts.set(edge.id, count);
    }
  }
  return counts;
}

function pushed(node: PlanNode, from: string, metrics: Metrics): number {
  return node.inputs.length < 2
    ? metrics.sum('nodeflow_node_records_total', { node: node.id })
    : metrics.sum('nodeflow_input_records_total', { node: node.id, input: from });
}

/** Windows are a part of the aggregate behind them, and no node of the plan. */
function aroundWindows(
  graph: Graph,
  source: GraphNode,
  target: GraphNode,
  between: ReadonlyMap<string, number>,
): number | undefined {
  const isWindow = (node: GraphNode) => node.type.name.startsWith('op.window.');
  if (isWindow(target)) {
    const [behind] = target.outgoing.map((each) => graph.nodes[graph.edges[each]!.target]!);
    return behind === undefined ? undefined : between.get(`${source.id} > ${behind.id}`);
  }
  if (!isWindow(source)) return undefined;
  const [before] = source.incoming.map((each) => graph.nodes[graph.edges[each]!.source]!);
  return before === undefined ? undefined : between.get(`${before.id} > ${target.id}`);
}

/** A topic that is read as a table at once is the table's node in the plan. */
function takenAsTable(
  target: GraphNode,
  nodes: readonly PlanNode[],
  owners: ReadonlyMap<string, string>,
  metrics: Metrics,
): number {
  const table = nodes.find(({ id, kind }) => kind === 'table' && owners.get(id) === target.id);
  return table === undefined ? 0 : metrics.sum('nodeflow_node_records_total', { node: table.id });
}

function nodeFigures(
  graph: Graph,
  node: GraphNode,
  { program, owners }: SegmentProgram,
  metrics: Metrics,
  edges: ReadonlyMap<string, number>,
): Omit<NodeFigures, 'status'> {
  const own = program.plan.nodes.filter(({ id }) => owners.get(id) === node.id);
  const counts = (numbers: readonly number[]) =>
    numbers.map((each) => edges.get(graph.edges[each]!.id)).filter((count) => count !== undefined);
  const incoming = counts(node.incoming);
  const outgoing = counts(node.outgoing);
  const taken = own
    .filter(({ kind }) => kind === 'source' || kind === 'read')
    .reduce((sum, { id }) => sum + metrics.sum('nodeflow_node_records_total', { node: id }), 0);
  const isSource = node.incoming.length === 0 || incoming.length === 0;
  const into = isSource ? Math.max(taken, ...outgoing, 0) : incoming.reduce((sum, count) => sum + count, 0);
  const dropped: { [reason: string]: number } = {};
  let deadLetters = 0;
  let droppedInAll = 0;
  for (const { id } of own) {
    for (const [reason, count] of metrics.reasons(id)) {
      dropped[reason] = (dropped[reason] ?? 0) + count;
      droppedInAll += count;
    }
    deadLetters += metrics.sum('nodeflow_dead_letters_total', { node: id });
  }
  const writes = own.some(({ kind }) => kind === 'to');
  const out = writes ? into : Math.max(0, ...outgoing);
  const filters = own.some(({ kind }) => kind === 'filter') && outgoing.length > 0;
  return {
    in: into,
    out,
    // a dead letter is one of those that were dropped
    filtered: filters ? into - out - droppedInAll : 0,
    dropped,
    deadLetters,
  };
}
