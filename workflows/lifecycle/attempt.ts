import type { Json, Millis } from '../../core/ids.ts';
import type { At, FailureInfo, TransitionCause } from '../../events/events.ts';
import type { GraphNode } from '../graph.ts';
import { backoff } from './backoff.ts';
import { cancelCause, closeSegment } from './close.ts';
import { complete, judge, skip } from './complete.ts';
import { type Choice, chosenOnFailure, deliver } from './deliver.ts';
import { inputsOf, type Ports } from './inputs.ts';
import type { NodeRow } from './lifecycle.ts';
import { MAX_SYSTEM_FAILURES } from './limits.ts';
import { isLoss, isQuarantined, quarantined } from './quarantine.ts';
import { failAround } from './scope.ts';
import type { Step } from './step.ts';
import { tokenOf } from './tokens.ts';

export interface Failed {
  readonly cause?: TransitionCause;
  readonly retryAfterMs?: Millis | undefined;
  /** No further attempt, whatever the policy says. */
  readonly isFinal?: boolean;
}

/** An attempt has failed: another one, or one of the ends that the policy knows. */
export function failAttempt(step: Step, at: At, error: FailureInfo, how: Failed = {}): void {
  const node = step.node(at);
  const row = step.row(at);
  const { header } = step;
  const isUndoing = step.facts.undoes.has(at.node);
  if (header.phase === 'cancelling' && how.isFinal !== true) {
    skip(step, at, cancelCause(step));
    return;
  }
  if (isQuarantined(step, at, error)) {
    hold(step, at, quarantined(step, at, error));
    return;
  }
  if (how.isFinal !== true && mayRetry(node, row, error)) {
    retry(step, at, error, how);
    return;
  }
  const { node: number, iteration } = at;
  const told = { type: 'attempt-failed', node: number, iteration, attempt: row.attempt, error, retryAt: null } as const;
  if (node.onError === 'hold' && how.cause !== 'resolved') {
    hold(step, at, error);
    return;
  }
  step.clearTimers(at);
  const { handled } = step.facts.nodes[number]!;
  const isLetter = node.onError === 'dead-letter';
  const decision = isLetter ? 'dead-letter' : node.onError === 'continue' ? 'continue' : handled ? 'route' : 'fail';
  step.emit({ ...told, decision });
  if (isLetter) bury(step, at, error);
  const isOptional = !node.required && !handled;
  step.move(at, 'FAILED', isOptional ? 'optional-failed' : (how.cause ?? 'failed'));
  deliver(step, at, choiceOf(step, at, node));
  if (!handled && !isLetter && !isOptional && !isUndoing) failAround(step, at, error);
}

/** It waits for somebody who says how it goes on. */
function hold(step: Step, at: At, error: FailureInfo): void {
  const { node, iteration } = at;
  const { status, attempt } = step.row(at);
  step.clearTimers(at);
  step.emit({ type: 'attempt-failed', node, iteration, attempt, error, retryAt: null, decision: 'hold' });
  if (status !== 'PENDING') step.move(at, 'PENDING', 'failed');
  closeSegment(step, at, 'failed');
  const token = tokenOf({ kind: 'held', execution: step.head.execution, node, iteration, attempt });
  const detail = error as unknown as Json;
  step.emit({ type: 'waiting', node, iteration, on: 'intervention', token, detail });
}

function mayRetry(node: GraphNode, row: NodeRow, error: FailureInfo): boolean {
  if (node.type.behaviour.kind === 'container') return false;
  if (error.class !== 'SYSTEM' && !node.retry.on.includes(error.class)) return false;
  return countOf(row, error) < (error.class === 'SYSTEM' ? MAX_SYSTEM_FAILURES : node.retry.maxAttempts);
}

/** Failures that it counts among, with it. */
function countOf({ failures, system, lost }: NodeRow, error: FailureInfo): number {
  return (isLoss(error) ? lost : error.class === 'SYSTEM' ? system : failures) + 1;
}

function retry(step: Step, at: At, error: FailureInfo, how: Failed): void {
  const { node: number, iteration } = at;
  const node = step.node(at);
  const { attempt } = step.row(at);
  const seed = `${step.head.execution} ${number} ${iteration} ${attempt}`;
  const drawn = backoff(node.retry, countOf(step.row(at), error), seed);
  const retryAt = step.at + Math.max(drawn, how.retryAfterMs ?? 0);
  step.emit({ type: 'attempt-failed', node: number, iteration, attempt, error, decision: 'retry', retryAt });
  step.clearTimers(at, KEPT);
  if (step.row(at).status !== 'PENDING') step.move(at, 'PENDING', how.cause ?? 'retry');
  closeSegment(step, at, how.cause ?? 'retry');
  // an inline node has no timer before its first failure
  const { totalMs } = node.timeouts;
  if (totalMs !== null && step.row(at).timers.length === 0) step.setTimer(at, 'total', step.at + totalMs, attempt);
  step.setTimer(at, 'retry', retryAt, attempt);
}

const KEPT = ['total'] as const;

/** What cannot be judged is skipped: the node has failed already. */
function choiceOf(step: Step, at: At, node: GraphNode): Choice {
  try {
    return chosenOnFailure(step, at, node);
  } catch {
    return { taken: [], skipped: node.outgoing };
  }
}

function bury(step: Step, at: At, error: FailureInfo): void {
  const { node, iteration } = at;
  const { attempt } = step.row(at);
  const id = tokenOf({ kind: 'letter', execution: step.head.execution, node, iteration, attempt });
  const reason = `${error.code}: ${error.message}`;
  step.emit({ type: 'dead-letter', node, iteration, id, reason });
  step.effects.push({ effect: 'dead-letter', id, node, iteration, attempt, reason, error, input: inputFor(step, at) });
}

function inputFor(step: Step, at: At): Json {
  try {
    return inputsOf(step, at, step.node(at));
  } catch {
    return null;
  }
}

/** A wait that has ended well, or a task: its outputs are judged as an attempt's. */
export function finish(step: Step, at: At, outputs: Ports, cause: TransitionCause = 'succeeded'): void {
  const judged = judge(step, at, outputs);
  if (judged.error === undefined) complete(step, at, judged, cause);
  else failAttempt(step, at, judged.error);
}
