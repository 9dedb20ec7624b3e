import type { At, TransitionCause } from '../../events/events.ts';
import { howOf } from '../container-parts.ts';
import { partOf } from './facts.ts';
import type { Effect } from './lifecycle.ts';
import { inside, isTerminal } from './row.ts';
import { cancelStarted } from './started.ts';
import type { Step } from './step.ts';

/**
 * - `graceful`: tasks and children are told to stop, and may answer.
 * - `at-once`: what they say later is void. What cleans up (`finally`) runs all the same.
 * - `force`: nothing runs any more.
 */
export type Closing = 'graceful' | 'at-once' | 'force';

/** Of what an execution that ends has open. */
export function cancelCause({ header }: Step): TransitionCause {
  return header.savepoint === null ? 'cancelled' : 'savepoint';
}

/** Ends a node that is no longer wanted. Its edges are told nothing: what they lead to is closed too. */
export function closeNode(step: Step, at: At, cause: TransitionCause, how: Closing): void {
  const row = step.row(at);
  if (isTerminal(row.status)) return;
  const { behaviour } = step.node(at).type;
  if (row.status === 'RUNNING' && behaviour.kind === 'container') {
    if (how !== 'force') {
      closeContainer(step, at, cause, how);
      return;
    }
    for (const { index } of row.iterations?.open ?? []) closeIteration(step, at, index, cause, how);
  }
  if (cause === 'savepoint' && row.status === 'RUNNING' && behaviour.kind === 'child' && at.iteration === '') {
    // waited for beyond the grace too, since its own bounds that
    if (how === 'graceful') step.effects.push(childAtSavepoint(step, row.wait!.token));
    return;
  }
  const mayEnd = behaviour.kind !== 'child' && row.status === 'RUNNING';
  if (cause === 'savepoint' && how === 'graceful' && mayEnd) {
    // tasks may end within the grace: those that do not, run again in what goes on from there
    if (behaviour.kind === 'operator') step.effects.push({ effect: 'savepoint', ...at, attempt: row.attempt });
  } else stop(step, at);
  if (how === 'graceful' && row.status === 'RUNNING' && mayAnswer(behaviour.kind)) {
    // at a savepoint it goes on, for what goes on from there
    if (cause !== 'savepoint') cancelStarted(step, at);
    return;
  }
  step.clearTimers(at);
  step.move(at, 'CANCELLED', cause);
  step.budget--;
}

function childAtSavepoint(step: Step, execution: string): Effect {
  const grace = step.header.timers.find(({ timer }) => timer === 'grace');
  const graceMs = Math.max(0, (grace?.due ?? 0) - step.at);
  const command = { type: 'savepoint', next: null, inherited: true, graceMs } as const;
  return { effect: 'send', execution, workflow: null, command };
}

/** What runs for a node is told to stop. */
export function stop(step: Step, at: At): void {
  const { status, attempt, wait } = step.row(at);
  const { kind } = step.node(at).type.behaviour;
  if (kind === 'child' && status === 'RUNNING' && wait !== null) {
    const command = { type: 'cancel', reason: 'its parent is cancelled', node: null } as const;
    step.effects.push({ effect: 'send', execution: wait.token, workflow: null, command });
  } else if ((kind === 'task' || kind === 'operator') && (status === 'RUNNING' || status === 'QUEUED')) {
    step.effects.push({ effect: 'abort', node: at.node, iteration: at.iteration, attempt });
  }
}

function mayAnswer(kind: string): boolean {
  return kind === 'task' || kind === 'operator' || kind === 'inner' || kind === 'child';
}

/** All that is open of an iteration. */
export function closeIteration(step: Step, container: At, index: number, cause: TransitionCause, how: Closing): void {
  const iteration = inside(container.iteration, index);
  for (const node of partOf(step.facts, step.node(container), index).nodes) {
    closeNode(step, { node, iteration }, cause, how);
  }
}

/** A container ends when all that is open within it has ended, and its `finally` has run. */
export function closeContainer(step: Step, at: At, cause: TransitionCause, how: Closing): void {
  const iterations = step.row(at).iterations;
  if (iterations?.closing == null) {
    step.emit({ type: 'iteration', node: at.node, iteration: at.iteration, index: -1, to: 'closing', value: cause });
  }
  const isTry = howOf(step.node(at).type) === 'try';
  for (const { index } of iterations?.open ?? []) {
    // what cleans up is let end, where it runs already
    if (!(isTry && index === 2)) closeIteration(step, at, index, cause === 'failed' ? 'upstream-failed' : cause, how);
  }
  step.work.push(at);
}

/** All that is open at the top, as far as a step may. */
export function closeTop(step: Step, cause: TransitionCause, how: Closing): void {
  step.unclosed = false;
  for (const node of step.facts.top) {
    const at = { node, iteration: '' };
    if (isTerminal(step.row(at).status)) continue;
    if (step.budget <= 0) {
      step.unclosed = true;
      return;
    }
    closeNode(step, at, cause, how);
  }
}

/** What runs though the execution is at its end: what compensates, and what cleans up. */
export function runsAtTheEnd({ facts, graph }: Pick<Step, 'facts' | 'graph'>, { node }: At): boolean {
  if (facts.undoes.has(node)) return true;
  for (let inner = graph.nodes[node]!; inner.parent >= 0; inner = graph.nodes[inner.parent]!) {
    if (inner.role === 'finally') return true;
  }
  return false;
}

/** The attempt of a segment is over, and there may be another: what has not passed waits for it. */
export function closeSegment(step: Step, at: At, cause: TransitionCause): void {
  for (const inner of innerOf(step, at)) {
    if (step.row(inner).status === 'RUNNING') step.move(inner, 'PENDING', cause);
  }
}

/** The inner nodes of the segment that a node stands for. */
export function innerOf(step: Step, { node, iteration }: At): readonly At[] {
  return (step.facts.inner.get(node) ?? NONE).map((number) => ({ node: number, iteration }));
}

const NONE: readonly number[] = [];
