import { canonicalJson } from '../core/canonical-json.ts';
import type { Json } from '../core/ids.ts';
import type { Graph, GraphEdge, GraphNode } from './graph.ts';

/**
 * A graph as text, for terminals: each node under what it needs, with what leads to it; children under their container.
 * Nodes of the data plane are shown by the edges of their records, and with the segment that they run in.
 *
 *     size     switch      <- total
 *     ask      wait.human  <- size.big, where value > 3
 */
export function describeGraph(control: Graph): readonly string[] {
  const graph = control.records?.graph ?? control;
  const { document } = graph;
  const nodes = graph.nodes.filter(({ removed }) => !removed);
  const head = `${document.id} ${document.version}: ${document.name}`;
  const lines = [head, ...(document.description === undefined ? [] : [document.description])];
  lines.push(
    `hash ${graph.hash.slice(0, 16)}, ${counted(nodes.length, 'node')}, ${counted(live(graph).length, 'edge')}`,
  );
  const inputs = Object.entries(document.inputs ?? {}).map(([name, { optional }]) => (optional ? `${name}?` : name));
  if (inputs.length > 0) lines.push(`takes ${inputs.join(', ')}`);
  const { session } = document;
  if (session !== undefined) {
    const { name = document.id, id, ttl, keys } = session;
    lines.push(`holds the session ${name} of ${id}, for ${ttl}: ${Object.keys(keys).join(', ')}`);
  }
  lines.push('');
  const rows = ordered(graph, -1, 0);
  const name = Math.max(0, ...rows.map(({ left }) => left.length));
  const type = Math.max(0, ...rows.map(({ node }) => node.type.name.length));
  for (const { left, node } of rows) {
    const from = sourcesOf(graph, node);
    const notes = [...segmentOf(control, node), ...notesOf(graph, node)];
    const line = `${left.padEnd(name)}  ${node.type.name.padEnd(type)}  ${[...from, ...notes].join('; ')}`;
    lines.push(line.trimEnd());
  }
  const outputs = Object.entries(document.outputs ?? {}).map(([out, json]) => `${out}: ${textOf(json)}`);
  if (outputs.length > 0) lines.push('', 'answers', ...outputs.map((line) => `  ${line}`));
  return lines;
}

interface Row {
  readonly left: string;
  readonly node: GraphNode;
}

/** Nodes of a level behind those that they need, the order of the document otherwise; children behind their parent. */
function ordered(graph: Graph, parent: number, depth: number): readonly Row[] {
  const level = graph.nodes.filter((node) => !node.removed && node.parent === parent);
  const open = new Map(level.map((node) => [node.number, node.incoming.length]));
  const ready = level.filter((node) => node.incoming.length === 0);
  const rows: Row[] = [];
  for (const node of ready) {
    rows.push({ left: `${'  '.repeat(depth)}${node.id}`, node }, ...ordered(graph, node.number, depth + 1));
    for (const edge of node.outgoing) {
      const { target } = graph.edges[edge]!;
      const left = open.get(target)! - 1;
      open.set(target, left);
      if (left === 0) ready.push(graph.nodes[target]!);
    }
  }
  return rows;
}

function sourcesOf(graph: Graph, node: GraphNode): readonly string[] {
  if (node.incoming.length === 0) return [];
  const { join } = node;
  const how =
    node.incoming.length === 1 || join.policy === 'all'
      ? ''
      : join.policy === 'atLeast'
        ? `at least ${join.count} of `
        : join.policy === 'when'
          ? `when ${join.expression.source} of `
          : `${join.policy} of `;
  return [`<- ${how}${node.incoming.map((edge) => edgeWords(graph, graph.edges[edge]!)).join(', ')}`];
}

function edgeWords(graph: Graph, edge: GraphEdge): string {
  const source = graph.nodes[edge.source]!.id;
  const port = edge.sourcePort === 'out' || edge.sourcePort === '' ? '' : `.${edge.sourcePort}`;
  const target = edge.targetPort === 'in' || edge.targetPort === '' ? '' : ` to ${edge.targetPort}`;
  const when = edge.when === null ? '' : ` where ${edge.when.source}`;
  return `${edge.kind === 'control' ? 'after ' : ''}${source}${port}${target}${when}`;
}

/** An inner node of a segment is called by the node that stands for it. */
function segmentOf({ nodes }: Graph, { number }: GraphNode): readonly string[] {
  const { standIn } = nodes[number]!;
  return standIn < 0 ? [] : [`in the segment of ${nodes[standIn]!.id}`];
}

function notesOf(graph: Graph, node: GraphNode): readonly string[] {
  const undoneBy = node.compensation < 0 ? [] : [`undone by ${graph.nodes[node.compensation]!.id}`];
  return [
    ...undoneBy,
    ...(node.role === 'body' ? [] : [node.role]),
    ...(node.required ? [] : ['optional']),
    ...(node.quarantine ? [] : ['no quarantine']),
    ...(node.retry.maxAttempts > 1 ? [`${node.retry.maxAttempts} attempts`] : []),
    ...(node.onError === 'fail' ? [] : [`on error ${node.onError}`]),
    ...(node.disabled ? ['disabled'] : []),
  ];
}

function live(graph: Graph): readonly GraphEdge[] {
  return graph.edges.filter(({ removed }) => !removed);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function textOf(json: Json): string {
  return typeof json === 'string' ? json : canonicalJson(json);
}
