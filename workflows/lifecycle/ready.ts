import type { At } from '../../events/events.ts';
import { failAttempt } from './attempt.ts';
import { beginNode } from './begin.ts';
import { cancelCause, closeNode, runsAtTheEnd } from './close.ts';
import { complete, judge, skip } from './complete.ts';
import { goOn } from './containers.ts';
import { CARRIED } from './evolve.ts';
import { endInner } from './inner.ts';
import type { Ports } from './inputs.ts';
import { type Readiness, readiness } from './joins.ts';
import { waitsForSession } from './session.ts';
import type { Step } from './step.ts';
import { settle } from './whole.ts';

/** Goes on with all that may be ready, until nothing is, or the step has done what a step may. */
export function proceed(step: Step): void {
  do {
    while (step.work.length > 0 && step.budget > 0) look(step, step.work.shift()!);
  } while (step.work.length === 0 && step.held.length === 0 && settle(step));
  step.work.push(...step.held);
}

/** A node that may be ready, or a container that may go on. */
function look(step: Step, at: At): void {
  const row = step.row(at);
  const node = step.node(at);
  if (row.status === 'RUNNING' && row.iterations !== null) {
    goOnSafely(step, at);
    return;
  }
  if (row.status === 'RUNNING' && node.standIn >= 0) {
    step.budget--;
    endInner(step, at, node, row);
    return;
  }
  if (row.status !== 'PENDING' || row.wait !== null || node.removed) return;
  if (row.timers.some(({ timer }) => timer === 'retry')) return;
  // what was ready before its container ended, or began again, is not any more
  if (node.parent >= 0 && !step.isWithin(at)) return;
  const { phase } = step.header;
  if (phase === 'paused' || waitsForSession(step.header)) {
    step.held.push(at);
    return;
  }
  if (phase !== 'running' && !runsAtTheEnd(step, at)) {
    if (phase === 'ended') return;
    closeNode(step, at, phase === 'cancelling' ? cancelCause(step) : 'upstream-failed', 'at-once');
    return;
  }
  decideNode(step, at);
}

function decideNode(step: Step, at: At): void {
  const node = step.node(at);
  const row = step.row(at);
  let ready: Readiness;
  try {
    ready = readiness(step, at, node, row);
  } catch (thrown) {
    step.budget--;
    failAttempt(step, at, step.failure(at, thrown), { isFinal: true });
    return;
  }
  if (ready === 'wait') return;
  step.budget--;
  const pin = step.pin(node.id);
  if (pin !== undefined) {
    const judged = judge(step, at, { [pinPort(node.type.outputs)]: pin });
    if (judged.error === undefined) {
      complete(step, at, judged, 'pinned');
      return;
    }
    failAttempt(step, at, judged.error, { isFinal: true });
    return;
  }
  const carried = node.parent < 0 ? step.output(at, CARRIED) : undefined;
  if (carried !== undefined && completeAgain(step, at, carried as Ports)) return;
  if (step.header.isPartial && node.parent < 0 && !step.facts.undoes.has(at.node) && !step.rows.isSelected(at.node)) {
    skip(step, at, 'not-selected');
    return;
  }
  if (node.disabled) {
    skip(step, at, 'disabled');
    return;
  }
  if (node.standIn >= 0) {
    endInner(step, at, node, row);
    return;
  }
  if (ready === 'skip') {
    skip(step, at, 'branch-not-taken');
    return;
  }
  beginNode(step, at, node);
}

/** With what it has put out in the execution that this one goes on from; false where its version has no such ports. */
function completeAgain(step: Step, at: At, outputs: Ports): boolean {
  const judged = judge(step, at, outputs);
  if (judged.error === undefined) complete(step, at, judged, 'pinned');
  return judged.error === undefined;
}

function pinPort(outputs: { readonly [port: string]: unknown }): string {
  const ports = Object.keys(outputs);
  return ports.length === 0 || ports.includes('out') ? 'out' : ports[0]!;
}

function goOnSafely(step: Step, at: At): void {
  try {
    goOn(step, at, step.node(at));
  } catch (thrown) {
    failAttempt(step, at, step.failure(at, thrown));
  }
}
