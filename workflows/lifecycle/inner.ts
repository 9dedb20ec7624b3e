import type { Json } from '../../core/ids.ts';
import type { At, TransitionCause } from '../../events/events.ts';
import type { GraphNode } from '../graph.ts';
import { failAttempt } from './attempt.ts';
import { innerOf } from './close.ts';
import { complete, judge, skip } from './complete.ts';
import { chosenAsNull, deliver } from './deliver.ts';
import { inputsOf, type Ports } from './inputs.ts';
import type { NodeRow } from './lifecycle.ts';
import { hasPassed } from './segment-figures.ts';
import type { Step } from './step.ts';

/** The lives of inner nodes of segments; see "Segments" in `lifecycle.ts`. */

/** The segment runs: its inner nodes do, but those that have passed in an attempt before. */
export function openSegment(step: Step, at: At): void {
  const { attempt } = step.row(at);
  const { id } = step.node(at);
  for (const inner of innerOf(step, at)) {
    if (step.row(inner).status !== 'PENDING') continue;
    step.budget--;
    if (completeAsPinned(step, inner)) continue;
    step.move(inner, 'RUNNING', 'segment-opened', attempt);
    step.emit({ type: 'waiting', ...inner, on: 'segment', token: id, detail: null });
  }
}

/** What the figures of a segment say has passed its end: but what gives a value has it when the segment reports. */
export function endPassed(step: Step, at: At, figures: Json): void {
  for (const inner of innerOf(step, at)) {
    const node = step.node(inner);
    if (step.row(inner).status !== 'RUNNING' || givesValue(step, node) || !hasPassed(figures, node.id)) continue;
    step.budget--;
    end(step, inner, {}, 'succeeded');
  }
}

/** An inner node whose segment may have ended. */
export function endInner(step: Step, at: At, node: GraphNode, row: NodeRow): void {
  const edge = fromStandIn(step, node);
  if (!row.told.includes(edge)) return;
  const segment = step.row({ node: node.standIn, iteration: at.iteration });
  const cause = segment.cause ?? 'succeeded';
  if (!row.taken.includes(edge)) {
    skip(
      step,
      at,
      segment.status === 'CANCELLED' ? cause : segment.status === 'FAILED' ? UPSTREAM : 'branch-not-taken',
    );
    return;
  }
  if (segment.status === 'FAILED') {
    // its policy is `continue`: what follows goes on as if null had been put out
    step.clearTimers(at);
    step.move(at, 'CANCELLED', UPSTREAM);
    deliver(step, at, chosenAsNull(step, node));
    return;
  }
  let inputs: Ports;
  try {
    inputs = inputsOf(step, at, node);
  } catch (thrown) {
    failAttempt(step, at, step.failure(at, thrown), { isFinal: true });
    return;
  }
  end(
    step,
    at,
    { out: inputs['in'] ?? null },
    row.status === 'RUNNING' ? 'succeeded' : UNRUN.has(cause) ? cause : 'inline',
  );
}

const UPSTREAM: TransitionCause = 'upstream-failed';
/** Of a segment that did not run. */
const UNRUN: ReadonlySet<TransitionCause> = new Set(['pinned', 'resolved']);

/** Whether a node stands for a segment that has others within it. */
export function standsForSegment(step: Step, { node }: At): boolean {
  return step.facts.inner.has(node);
}

function fromStandIn(step: Step, { incoming, standIn }: GraphNode): number {
  return incoming.find((number) => step.graph.edges[number]!.source === standIn) ?? -1;
}

function givesValue(step: Step, node: GraphNode): boolean {
  return step.graph.edges[fromStandIn(step, node)]?.kind === 'data';
}

function completeAsPinned(step: Step, at: At): boolean {
  const { id } = step.node(at);
  const pin = step.pin(id);
  if (pin === undefined) return false;
  end(step, at, { out: pin }, 'pinned');
  return true;
}

function end(step: Step, at: At, outputs: Ports, cause: TransitionCause): void {
  const judged = judge(step, at, outputs);
  if (judged.error === undefined) complete(step, at, judged, cause);
  else failAttempt(step, at, judged.error, { isFinal: true });
}
