import type { Json } from '../../core/ids.ts';
import type { At } from '../../events/events.ts';
import type { Graph } from '../graph.ts';
import { type Command, PATCH_OPS, type PatchOp } from './command.ts';
import { skip } from './complete.ts';
import { chosen, chosenOnFailure, chosenOnSkip, deliver } from './deliver.ts';
import { factsOf } from './facts.ts';
import { isTerminal, PENDING_ROW } from './row.ts';
import type { Step } from './step.ts';

type Patch = Extract<Command, { readonly type: 'patch' }>;

/** The graph of a running execution changes, where nothing of it has begun. */
export function patch(step: Step, command: Patch): void {
  const { header } = step;
  if (header.phase !== 'running' && header.phase !== 'paused') {
    step.reject('workflow.not-running', 'only a running or paused execution can be patched');
    return;
  }
  if (command.baseRevision !== header.revision) {
    const why = `the graph is at revision ${header.revision}, the patch is for ${command.baseRevision}: look at it again`;
    step.reject('workflow.patch-conflict', why);
    return;
  }
  const unknown = unknownOp(command.ops);
  if (unknown !== undefined) {
    step.reject('workflow.patch-invalid', unknown);
    return;
  }
  const next = step.parts.patch(step.graph, command.ops);
  if (!('nodes' in next)) {
    const faults = next.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
    step.reject('workflow.patch-invalid', faults);
    return;
  }
  const frozen = whatIsFrozen(step, next, command);
  if (frozen !== undefined) {
    step.reject('workflow.node-started', frozen);
    return;
  }
  apply(step, next, command);
}

/** Ops come from outside, as JSON. What was taken before stands in the log as it is, and is not judged again. */
function unknownOp(ops: readonly (Partial<PatchOp> | null)[]): string | undefined {
  const index = ops.findIndex((op) => op?.op === undefined || !PATCH_OPS.includes(op.op));
  if (index < 0) return undefined;
  return `/${index}/op: there is no such operation; take one of ${PATCH_OPS.join(', ')}`;
}

interface Difference {
  readonly added: readonly number[];
  readonly removed: readonly number[];
  readonly addedEdges: readonly number[];
  readonly removedEdges: readonly number[];
}

function differenceOf(old: Graph, next: Graph): Difference {
  const before = new Set(factsOf(old).top);
  const after = new Set(factsOf(next).top);
  return {
    added: [...after].filter((number) => !before.has(number)),
    removed: [...before].filter((number) => !after.has(number)),
    addedEdges: next.edges.filter((edge) => !edge.removed && isNew(old, edge.number)).map((edge) => edge.number),
    removedEdges: next.edges
      .filter((edge) => edge.removed && old.edges[edge.number]?.removed === false)
      .map((edge) => edge.number),
  };
}

function isNew(old: Graph, edge: number): boolean {
  return old.edges[edge] === undefined || old.edges[edge]!.removed;
}

function hasBegun(step: Step, node: number): boolean {
  let number = node;
  for (;;) {
    const found = step.graph.nodes[number];
    if (found === undefined) return false;
    const { status, attempt } = step.row({ node: number, iteration: '' });
    if (found.parent < 0) return status !== 'PENDING' || attempt > 0;
    number = found.parent;
  }
}

/** What a patch would change though it has begun, in words. */
function whatIsFrozen(step: Step, next: Graph, { ops }: Patch): string | undefined {
  const { removed, addedEdges, removedEdges } = differenceOf(step.graph, next);
  const touched = new Set(removed);
  for (const op of ops) {
    if (op.op !== 'replace-node' && op.op !== 'remove-node' && op.op !== 'add-node') continue;
    const id = op.op === 'remove-node' ? op.id : (op.node as { readonly id: string }).id;
    const number = step.graph.number(id) ?? next.number(id);
    if (number === undefined) continue;
    touched.add(number);
    const parent = (step.graph.nodes[number] ?? next.nodes[number]!).parent;
    if (parent >= 0) touched.add(parent);
  }
  for (const edge of [...addedEdges, ...removedEdges])
    touched.add((next.edges[edge] ?? step.graph.edges[edge]!).target);
  for (const number of touched) {
    if (!hasBegun(step, number)) continue;
    return `${next.nodes[number]!.id} has begun, and cannot be changed any more`;
  }
  return undefined;
}

function apply(step: Step, next: Graph, { ops }: Patch): void {
  const { added, removed, addedEdges, removedEdges } = differenceOf(step.graph, next);
  const told = new Map<number, number[]>();
  for (const edge of addedEdges) {
    const { source } = next.edges[edge]!;
    const edges = told.get(source);
    if (edges === undefined) told.set(source, [edge]);
    else edges.push(edge);
  }
  step.graph = next;
  step.facts = factsOf(next);
  step.head.revision = next.revision;
  const what = { revision: next.revision, ops: ops as unknown as Json, by: step.envelope.by };
  step.emit({ type: 'patched', ...what, added, removed, removedEdges });
  for (const node of removed) skip(step, { node, iteration: '' }, 'removed-by-patch');
  for (const [source, edges] of told) tellLate(step, source, new Set(edges));
  for (const node of added) step.work.push({ node, iteration: '' });
  for (const edge of removedEdges) step.work.push({ node: next.edges[edge]!.target, iteration: '' });
}

/** Edges from what has ended before there were any. */
function tellLate(step: Step, source: number, edges: ReadonlySet<number>): void {
  const at = { node: source, iteration: '' };
  const row = step.rows.node(step.key(at)) ?? PENDING_ROW;
  if (!isTerminal(row.status)) return;
  const node = step.node(at);
  const late = { ...node, outgoing: node.outgoing.filter((edge) => edges.has(edge)) };
  if (row.status === 'FAILED') {
    deliver(step, at, chosenOnFailure(step, at, late));
    return;
  }
  if (row.status === 'CANCELLED') {
    deliver(step, at, chosenOnSkip(step, at, late));
    return;
  }
  deliver(step, at, chosenLate(step, at, late));
}

function chosenLate(step: Step, at: At, node: Graph['nodes'][number]) {
  const outputs: { [port: string]: Json } = {};
  for (const number of node.outgoing) {
    const { sourcePort } = step.graph.edges[number]!;
    const value = step.output(at, sourcePort);
    if (value !== undefined) outputs[sourcePort] = value;
  }
  return chosen(step, node, outputs);
}
