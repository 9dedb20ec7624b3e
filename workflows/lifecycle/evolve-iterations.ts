import type { At, EndCounts, NodeStatus, StepEvent } from '../../events/events.ts';
import { howOf } from '../container-parts.ts';
import type { Graph } from '../graph.ts';
import { factsOf, partOf } from './facts.ts';
import type { Iterations, Rows } from './lifecycle.ts';
import { inside, keyOf } from './row.ts';
import { change, NO_COUNTS, NO_ITERATIONS } from './row-changes.ts';

export type IterationEvent = Extract<StepEvent, { readonly type: 'iteration' }>;

/** An iteration is open: its nodes are PENDING, which needs no rows. */
export function begin(rows: Rows, graph: Graph, event: IterationEvent): void {
  const left = partOf(factsOf(graph), graph.nodes[event.node]!, event.index).nodes.length;
  // of a loop there are rows of its last round alone
  if (howOf(graph.nodes[event.node]!.type) === 'loop' && event.index > 0)
    dropIteration(rows, graph, event, event.index - 1, false);
  const header = rows.header()!;
  rows.putHeader({ ...header, counts: { ...header.counts, PENDING: header.counts.PENDING + left } });
  changeIterations(rows, event, (iterations) => ({
    ...iterations,
    next: event.index + 1,
    open: [...iterations.open, { index: event.index, left, failed: false }],
  }));
}

/** It ends as failed when nothing is left of it; the failure is the container's. */
export function fail(rows: Rows, event: IterationEvent): void {
  rows.putOutput(keyOf(event.node, event.iteration), '#error', event.value);
  changeIterations(rows, event, (iterations) => ({
    ...iterations,
    open: iterations.open.map((each) => (each.index === event.index ? { ...each, failed: true } : each)),
  }));
}

export function end(rows: Rows, graph: Graph, event: IterationEvent): void {
  const hasFailed = event.to === 'failed';
  const how = howOf(graph.nodes[event.node]!.type);
  if (how === 'map') dropIteration(rows, graph, event, event.index, false);
  if (!hasFailed) {
    rows.putOutput(keyOf(event.node, event.iteration), how === 'loop' ? '#last' : `#${event.index}`, event.value);
  }
  changeIterations(rows, event, (iterations) => ({
    ...iterations,
    ended: iterations.ended + 1,
    failed: iterations.failed + (hasFailed ? 1 : 0),
    open: iterations.open.filter((each) => each.index !== event.index),
  }));
}

function changeIterations(rows: Rows, event: IterationEvent, how: (iterations: Iterations) => Iterations): void {
  change(rows, event, (row) => ({ ...row, iterations: how(row.iterations ?? NO_ITERATIONS) }));
}

/** Rows of an iteration of a container go; those of nodes that may have to be compensated stay, but where all goes. */
export function dropIteration(rows: Rows, graph: Graph, at: At, index: number, all: boolean): void {
  const iteration = inside(at.iteration, index);
  const gone = { ...NO_COUNTS };
  const drop = (number: number, within: string) => {
    const node = graph.nodes[number]!;
    const key = keyOf(number, within);
    const row = rows.node(key);
    if (row === undefined) return;
    const rounds = row.iterations?.next ?? 0;
    for (let i = 0; i < rounds; i++) for (const child of node.children) drop(child, `${within}.${i}`);
    if (!all && node.compensation >= 0 && row.status === 'COMPLETED') return;
    gone[row.status]++;
    rows.dropNode(key);
  };
  for (const child of graph.nodes[at.node]!.children) drop(child, iteration);
  const header = rows.header()!;
  const counts = { ...header.counts };
  for (const status of Object.keys(gone) as NodeStatus[]) counts[status] -= gone[status];
  const compensable = all ? header.compensable.filter((key) => rows.node(key) !== undefined) : header.compensable;
  const past = header.past === null ? null : summed(header.past, gone);
  rows.putHeader({ ...header, counts, past, compensable });
}

/** Nodes in each of the last states, of two sets of them. */
export function summed(one: EndCounts, other: EndCounts): EndCounts {
  return {
    COMPLETED: one.COMPLETED + other.COMPLETED,
    FAILED: one.FAILED + other.FAILED,
    CANCELLED: one.CANCELLED + other.CANCELLED,
  };
}
