import type { Json } from '../../core/ids.ts';
import type { At } from '../../events/events.ts';
import type { GraphEdge, GraphNode } from '../graph.ts';
import { errorOf, type Ports } from './inputs.ts';
import type { Step } from './step.ts';

export interface Choice {
  readonly taken: readonly number[];
  readonly skipped: readonly number[];
}

/** Which edges a node takes with these outputs. Throws what a condition throws. */
export function chosen(step: Step, node: GraphNode, outputs: Ports): Choice {
  return choose(step, node, (edge) => {
    if (edge.kind === 'error') return undefined;
    if (edge.sourcePort === '') return null;
    return Object.hasOwn(outputs, edge.sourcePort) ? outputs[edge.sourcePort] : undefined;
  });
}

/** All edges but those of errors, as if null had been put out. */
export function chosenAsNull(step: Step, node: GraphNode): Choice {
  return choose(step, node, (edge) => (edge.kind === 'error' ? undefined : null));
}

/** A node that failed: its error edges, or all others as if it had put out null. */
export function chosenOnFailure(step: Step, at: At, node: GraphNode): Choice {
  const error = errorOf(step, at);
  if (node.onError === 'continue') return chosenAsNull(step, node);
  return choose(step, node, (edge) => (edge.kind === 'error' ? error : undefined));
}

/** Edges by what they carry; undefined: skipped. */
function choose(step: Step, node: GraphNode, carries: (edge: GraphEdge) => Json | undefined): Choice {
  const taken: number[] = [];
  const skipped: number[] = [];
  for (const number of node.outgoing) {
    const edge = step.graph.edges[number]!;
    const value = carries(edge);
    const isTaken =
      value !== undefined && (edge.when === null || edge.when.evaluate({ value, input: step.header.input }) === true);
    (isTaken ? taken : skipped).push(number);
  }
  return { taken, skipped };
}

/** Edges of a node that did not run; those from what was not selected to what was count as taken. */
export function chosenOnSkip(step: Step, at: At, node: GraphNode): Choice {
  if (step.row(at).cause !== 'not-selected') return { taken: [], skipped: node.outgoing };
  const isSelected = (edge: number) => step.rows.isSelected(step.graph.edges[edge]!.target);
  return {
    taken: node.outgoing.filter(isSelected),
    skipped: node.outgoing.filter((edge) => !isSelected(edge)),
  };
}

/** Tells the edges, and remembers whom that may have made ready. */
export function deliver(step: Step, { node, iteration }: At, choice: Choice): void {
  const { taken, skipped } = choice;
  if (taken.length === 0 && skipped.length === 0) return;
  step.emit({ type: 'delivered', node, iteration, taken, skipped });
  for (const edge of taken) consider(step, edge, iteration);
  for (const edge of skipped) consider(step, edge, iteration);
}

function consider(step: Step, edge: number, iteration: string): void {
  const { target } = step.graph.edges[edge]!;
  const at = { node: target, iteration };
  const row = step.row(at);
  const { incoming, join, standIn } = step.graph.nodes[target]!;
  // an inner node runs until its segment has told it
  if (row.status !== 'PENDING' && !(row.status === 'RUNNING' && standIn >= 0)) return;
  const mayBeEarly = (join.policy === 'any' || join.policy === 'atLeast') && row.taken.length > 0;
  if (mayBeEarly || row.told.length >= incoming.length) step.work.push(at);
}
