import type { Json } from '../../core/ids.ts';
import type { At, FailureInfo } from '../../events/events.ts';
import { howOf } from '../container-parts.ts';
import type { GraphEdge, GraphNode } from '../graph.ts';
import { inside, outside } from './row.ts';
import { sessionScope } from './session.ts';
import type { Step } from './step.ts';

export type Ports = { readonly [port: string]: Json };
export type Scope = { [name: string]: unknown };

/** What arrives at the ports of a node. */
export function inputsOf(step: Step, at: At, node: GraphNode): Ports {
  const row = step.row(at);
  if (row.attempt > 0 || row.cause !== null || row.error !== null) {
    const byHand = step.output(at, '#in');
    if (byHand !== undefined) return { [node.type.behaviour.kind === 'operator' ? `${node.id}.in` : 'in']: byHand };
  }
  if (node.incoming.length === 0) return { in: fromOutside(step, at, node) };
  const { ports } = step.facts.nodes[node.number]!;
  const found: { [port: string]: Json } = {};
  for (const { port, edges } of ports) {
    if (edges.length === 1) {
      if (row.taken.includes(edges[0]!)) found[port] = carried(step, at, step.graph.edges[edges[0]!]!);
    } else if (node.join.policy === 'any') {
      const first = row.taken.find((edge) => edges.includes(edge));
      if (first !== undefined) found[port] = carried(step, at, step.graph.edges[first]!);
    } else {
      const bySource: { [id: string]: Json } = {};
      for (const number of edges) {
        if (!row.taken.includes(number)) continue;
        const edge = step.graph.edges[number]!;
        bySource[step.graph.nodes[edge.source]!.id] = carried(step, at, edge);
      }
      found[port] = bySource;
    }
  }
  return found;
}

/** What a node without incoming edges has at `in`. */
function fromOutside(step: Step, at: At, node: GraphNode): Json {
  const undone = step.facts.undoes.get(node.number);
  // what undoes another has what that put out
  if (undone !== undefined) return valueAt(step, { node: undone, iteration: at.iteration }, step.graph.nodes[undone]!);
  if (node.parent < 0) return step.header.input;
  const { iteration, index } = outside(at.iteration);
  const container = { node: node.parent, iteration };
  const how = howOf(step.graph.nodes[node.parent]!.type);
  if (how === 'map') return itemOf(step, container, index);
  if (how === 'loop') return lastOf(step, container, index);
  if (node.role === 'catch') return caught(step, container);
  return inputsOf(step, container, step.graph.nodes[node.parent]!)['in'] ?? null;
}

/** What the iteration of a loop before one gave, before the first what arrived. */
export function lastOf(step: Step, loop: At, index: number): Json {
  if (index > 0) return step.output(loop, '#last') ?? null;
  return inputsOf(step, loop, step.graph.nodes[loop.node]!)['in'] ?? null;
}

function itemOf(step: Step, map: At, index: number): Json {
  return (step.output(map, '#items') as readonly Json[] | undefined)?.[index] ?? null;
}

/** What a node gives as a whole: its port `out`, or its only one, or all by port. */
export function valueAt(step: Step, at: At, node: GraphNode): Json {
  const out = step.output(at, 'out');
  if (out !== undefined) return out;
  const found: { [port: string]: Json } = {};
  const ports = node.outputs;
  for (const port of ports) {
    const value = step.output(at, port);
    if (value !== undefined) found[port] = value;
  }
  return ports.length === 1 ? (found[ports[0]!] ?? null) : Object.keys(found).length === 0 ? null : found;
}

/** What an edge carries. */
function carried(step: Step, { iteration }: At, edge: GraphEdge): Json {
  const source = { node: edge.source, iteration };
  const value = edge.kind === 'error' ? errorOf(step, source) : (step.output(source, edge.sourcePort) ?? null);
  return edge.map === null ? value : edge.map.fill({ value, input: step.header.input });
}

/** The failure of a node as expressions read it. */
export function errorOf(step: Step, at: At): Json {
  const { error } = step.row(at);
  return error === null ? null : readable({ ...error, node: step.node(at).id });
}

/** The failure that a `catch` is for. */
function caught(step: Step, container: At): Json {
  const error = step.output(container, '#error');
  return error === undefined ? null : readable(error as unknown as FailureOf);
}

type FailureOf = FailureInfo & { readonly node: string };

function readable({ class: failureClass, code, message, node, detail }: FailureOf): Json {
  return { class: failureClass, code, message, node, ...(detail === undefined ? {} : { detail }) };
}

/** What expressions of a node may read. */
export function scopeOf(step: Step, at: At, node: GraphNode, inputs: Ports): Scope {
  const scope: Scope = { input: step.header.input, value: inputs['in'] ?? null, inputs, now: step.at };
  for (const number of node.incoming) {
    const edge = step.graph.edges[number]!;
    const source = { node: edge.source, iteration: at.iteration };
    if (edge.kind === 'error' && step.row(at).taken.includes(number)) scope['error'] = errorOf(step, source);
  }
  if (node.session !== undefined) scope['session'] = sessionScope(step, node);
  addSurroundings(step, at, node, scope);
  return scope;
}

function addSurroundings(step: Step, at: At, node: GraphNode, scope: Scope): void {
  let { iteration } = at;
  for (let inner = node; inner.parent >= 0; inner = step.graph.nodes[inner.parent]!) {
    const around = outside(iteration);
    iteration = around.iteration;
    const container = { node: inner.parent, iteration };
    const how = howOf(step.graph.nodes[inner.parent]!.type);
    if (how === 'map' && !('item' in scope)) {
      scope['item'] = itemOf(step, container, around.index);
      scope['index'] = around.index;
    } else if (how === 'loop' && !('iteration' in scope)) {
      scope['last'] = lastOf(step, container, around.index);
      scope['iteration'] = around.index;
    } else if (inner.role === 'catch' && !('error' in scope)) {
      scope['error'] = caught(step, container);
    }
  }
}

/** What a run of the children of a container gives. */
export function resultOf(step: Step, container: At, index: number, leaves: readonly number[]): Json {
  const iteration = inside(container.iteration, index);
  const at = (node: number) => ({ node, iteration });
  if (leaves.length === 1) return valueAt(step, at(leaves[0]!), step.graph.nodes[leaves[0]!]!);
  const found: { [id: string]: Json } = {};
  for (const leaf of leaves) {
    const node = step.graph.nodes[leaf]!;
    if (step.row(at(leaf)).status === 'COMPLETED') found[node.id] = valueAt(step, at(leaf), node);
  }
  return found;
}

/** The configuration of a node with its expressions filled in. Throws what they throw. */
export function configOf(step: Step, at: At, node: GraphNode, inputs: Ports): Json {
  return node.template.fill(node.template.constant ? {} : scopeOf(step, at, node, inputs));
}
