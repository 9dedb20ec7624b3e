import type { At } from '../../events/events.ts';
import { closeNode } from './close.ts';
import { deliver } from './deliver.ts';
import { outside, PENDING_ROW } from './row.ts';
import { cancelStarted } from './started.ts';
import type { Step } from './step.ts';

/** A node and all that follows from it begin again, as if they had not run. */
export function rewind(step: Step, from: At): void {
  const { iteration } = from;
  const again = downstream(step, from.node);
  const kept = new Map<number, { readonly taken: number[]; readonly skipped: number[] }>();
  for (const number of again) keepTold(step, { node: number, iteration }, again, kept);
  for (const number of again) {
    const at = { node: number, iteration };
    const row = step.row(at);
    if (row === PENDING_ROW) continue;
    if (row.status !== 'PENDING') closeNode(step, at, 'superseded', 'force');
    else {
      step.clearTimers(at);
      cancelStarted(step, at);
    }
    const { status, attempt } = step.row(at);
    step.emit({ type: 'node', ...at, attempt, from: status, to: 'PENDING', cause: 'redriven' });
  }
  // what lies before them has told its outcome once and for all
  for (const [source, choice] of kept) deliver(step, { node: source, iteration }, choice);
  step.work.push(from);
}

/** Whether the children of the container around it may still run. */
export function isOpen(step: Step, { node, iteration }: At): boolean {
  const { parent } = step.graph.nodes[node]!;
  if (parent < 0) return iteration === '';
  if (iteration === '' || !step.isWithin({ node, iteration })) return false;
  const around = outside(iteration);
  const { iterations, status } = step.row({ node: parent, iteration: around.iteration });
  if (status !== 'RUNNING' || iterations === null || iterations.closing !== null) return false;
  return iterations.open.some(({ index, failed }) => index === around.index && !failed);
}

function downstream(step: Step, from: number): ReadonlySet<number> {
  const found = new Set<number>();
  const open = [from];
  for (let number = open.pop(); number !== undefined; number = open.pop()) {
    if (found.has(number)) continue;
    found.add(number);
    for (const edge of step.graph.nodes[number]!.outgoing) open.push(step.graph.edges[edge]!.target);
  }
  return found;
}

function keepTold(
  step: Step,
  at: At,
  again: ReadonlySet<number>,
  kept: Map<number, { readonly taken: number[]; readonly skipped: number[] }>,
): void {
  const { told, taken } = step.row(at);
  for (const edge of told) {
    const { source } = step.graph.edges[edge]!;
    if (again.has(source)) continue;
    const choice = kept.get(source) ?? { taken: [], skipped: [] };
    (taken.includes(edge) ? choice.taken : choice.skipped).push(edge);
    kept.set(source, choice);
  }
}
