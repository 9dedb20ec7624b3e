import type { Json, Millis } from '../../core/ids.ts';
import type { Graph } from '../graph.ts';
import { keyOf, type NodeKey, type NodeRow, partsOf, type Rows } from '../lifecycle/lifecycle.ts';
import type { ExecutionView, NodeView } from '../workflows.ts';
import type { Folded } from './memory-rows.ts';

/** An execution as the outside sees it. */
export function viewOf({ rows, graph, output, endedAt }: Folded): ExecutionView {
  const header = rows.header()!;
  const { execution: id, workflow, version, definition, revision, seq, status, phase, degraded } = header;
  const { mode, input, error, startedAt, user, labels, counts } = header;
  const found = new Map<NodeKey, NodeRow>(rows.allNodes());
  const nodes: NodeView[] = [];
  // what undoes another is not there before it is wanted
  const undoing = new Set(graph.nodes.map(({ compensation }) => compensation));
  for (const node of graph.nodes) {
    const isExpected = !node.removed && node.parent < 0 && !undoing.has(node.number);
    if (isExpected && !found.has(`${node.number}`)) nodes.push(unknownNode(node, startedAt));
  }
  const ports = new Map<NodeKey, readonly string[]>();
  for (const [node, iteration, names] of rows.outputs()) ports.set(keyOf(node, iteration), names);
  for (const [key, row] of found) nodes.push(nodeView(rows, graph, key, row, ports.get(key) ?? [], startedAt));
  nodes.sort((a, b) => graph.number(a.id)! - graph.number(b.id)! || (a.iteration < b.iteration ? -1 : 1));
  return {
    ...{ id, workflow, version, definition, revision, seq, status, phase, degraded, mode, input, output },
    ...{ error: error as Json, startedAt, endedAt, user, labels, counts, nodes },
  };
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
  const { status, attempt, error, wait } = row;
  const since = row.since === 0 ? startedAt : row.since;
  const outputs = Object.fromEntries(ports.map((port) => [port, rows.output(key, port) ?? null]));
  return { id, type: type.name, iteration, status, attempt, since, outputs, error: error as Json, wait };
}

function unknownNode({ id, type }: Graph['nodes'][number], since: number): NodeView {
  const none = { iteration: '', status: 'PENDING', attempt: 0, outputs: {}, error: null, wait: null } as const;
  return { id, type: type.name, since, ...none };
}
