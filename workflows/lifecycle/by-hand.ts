import type { Json } from '../../core/ids.ts';
import type { At } from '../../events/events.ts';
import { failAttempt, finish } from './attempt.ts';
import { closeIteration, stop } from './close.ts';
import { skip } from './complete.ts';
import { standsForSegment } from './inner.ts';
import type { Ports } from './inputs.ts';
import type { Command } from './lifecycle.ts';
import { GRACE_MS } from './limits.ts';
import { notRunning } from './not-running.ts';
import { goOnFromPause, pauseChildren } from './paused.ts';
import { isOpen, rewind } from './rewind.ts';
import { isTerminal } from './row.ts';
import type { Step } from './step.ts';
import { readToken } from './tokens.ts';
import { closeMore } from './whole.ts';

type Of<Type extends Command['type']> = Extract<Command, { readonly type: Type }>;

/** Commands by which people and programs steer an execution. */

export function pause(step: Step): void {
  const { phase } = step.header;
  if (phase === 'paused') return;
  if (phase !== 'running') {
    notRunning(step);
    return;
  }
  step.emit({ type: 'paused', by: step.envelope.by });
  pauseChildren(step);
}

export function resume(step: Step): void {
  if (step.header.phase !== 'paused') {
    step.reject('workflow.not-paused', 'the execution is not paused');
    return;
  }
  step.emit({ type: 'resumed', by: step.envelope.by });
  goOnFromPause(step);
}

export function cancel(step: Step, command: Of<'cancel'>): void {
  if (command.node !== null) {
    cancelNode(step, command.node);
    return;
  }
  const { phase } = step.header;
  if (phase === 'cancelling' && step.header.savepoint === null) return;
  if (phase === 'cancelling' || phase === 'compensating') {
    notRunning(step);
    return;
  }
  step.emit({ type: 'cancelling', reason: command.reason, by: step.envelope.by });
  const grace = Math.max(0, command.graceMs ?? GRACE_MS);
  step.setTimer({ node: -1, iteration: '' }, 'grace', step.at + grace, 0);
  closeMore(step);
  if (phase === 'paused') goOnFromPause(step);
}

function cancelNode(step: Step, id: string): void {
  const at = { node: step.graph.number(id) ?? -1, iteration: '' };
  if (!isKnown(step, at, id) || !isAtTheTop(step, at)) return;
  if (isTerminal(step.row(at).status)) {
    step.reject('workflow.node-ended', `${id} has ended`);
    return;
  }
  if (!mayBegin(step)) {
    notRunning(step);
    return;
  }
  release(step, at);
  skip(step, at, 'cancelled');
}

export function retryFrom(step: Step, { node: id }: Of<'retry-from'>): void {
  const at = { node: step.graph.number(id) ?? -1, iteration: '' };
  if (!isKnown(step, at, id) || !isAtTheTop(step, at)) return;
  if (!mayBegin(step)) {
    notRunning(step);
    return;
  }
  rewind(step, at);
}

export function redrive(step: Step, { deadLetter, input }: Of<'redrive'>): void {
  const read = readToken(deadLetter);
  if (read?.kind !== 'letter' || step.graph.nodes[read.node] === undefined) {
    step.reject('workflow.unknown-token', `${deadLetter} stands for no dead letter`);
    return;
  }
  const at = { node: read.node, iteration: read.iteration };
  const { status, attempt } = step.row(at);
  // done again before
  if (attempt > read.attempt || (status !== 'FAILED' && attempt === read.attempt)) return;
  if (status !== 'FAILED') {
    step.reject('workflow.stale', `${deadLetter} is of an attempt that is not the last`);
    return;
  }
  if (!mayBegin(step)) {
    notRunning(step);
    return;
  }
  if (!isOpen(step, at)) {
    step.reject('workflow.node-ended', 'the iteration that it belongs to has ended');
    return;
  }
  step.emit({ type: 'redriven', id: deadLetter });
  rewind(step, at);
  if (input !== undefined) intervened(step, at, 'retry', input, true);
}

export function intervene(step: Step, command: Of<'intervene'>): void {
  const { node: id, iteration, action, value, given = false } = command;
  const at = { node: step.graph.number(id) ?? -1, iteration };
  if (!isKnown(step, at, id)) return;
  // what is held waits for this, whatever else happens
  const isHeld = step.row(at).wait?.on === 'intervention';
  if (!isHeld && !mayBegin(step)) {
    notRunning(step);
    return;
  }
  if (!isHeld && !isOpen(step, at)) {
    step.reject('workflow.node-ended', `${id} is in no iteration that is open`);
    return;
  }
  const { status } = step.row(at);
  if (isTerminal(status) && !(action === 'retry' && status === 'FAILED')) {
    step.reject('workflow.node-ended', `${id} is ${status}: begin again from it instead`);
    return;
  }
  const hasInside = step.node(at).type.behaviour.kind === 'container' || standsForSegment(step, at);
  if (action === 'retry' && (isTerminal(status) || (hasInside && step.row(at).attempt > 0))) {
    rewind(step, at);
    intervened(step, at, action, value, given);
    return;
  }
  const isBegun = step.row(at).attempt > 0;
  if (!isBegun && !isHeld && action !== 'output' && action !== 'skip') {
    step.reject('workflow.node-not-begun', `${id} has not begun`);
    return;
  }
  const outputs = outputsByHand(step, at, value);
  if (action === 'output' && outputs === undefined) {
    const ports = step.node(at).outputs.join(', ');
    step.reject('workflow.bad-output', `${id} puts out at ${ports}: give an object of values by port`);
    return;
  }
  intervened(step, at, action, value, given);
  release(step, at);
  switch (action) {
    case 'retry':
      if (step.row(at).status !== 'PENDING') step.move(at, 'PENDING', 'retry');
      step.work.push(at);
      return;
    case 'output':
      finish(step, at, outputs!, 'resolved');
      return;
    case 'skip':
      skip(step, at, 'skipped-by-hand');
      return;
    case 'fail':
      failAttempt(step, at, failureByHand(at, id, value), { cause: 'resolved', isFinal: true });
      return;
  }
}

/** Of a segment the value of its collect, or values by port where it has several; undefined: it is none of these. */
function outputsByHand(step: Step, at: At, value: Json): Ports | undefined {
  if (!standsForSegment(step, at)) return { out: value };
  const { outputs } = step.node(at);
  if (outputs.length < 2) return { [outputs[0] ?? 'out']: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const isKnown = Object.keys(value).every((port) => outputs.includes(port));
  return isKnown ? (value as Ports) : undefined;
}

function intervened(step: Step, { node, iteration }: At, action: string, value: Json, given: boolean): void {
  const nullToo = given && action === 'retry' && value === null ? ({ given } as const) : {};
  step.emit({ type: 'intervened', node, iteration, action, value, ...nullToo, by: step.envelope.by });
}

function failureByHand({ node }: At, id: string, value: Json) {
  const message = typeof value === 'string' ? value : `${id} was failed by hand`;
  return { class: 'USER', code: 'workflow.failed-by-hand', message, instance: `/nodes/${node}` } as const;
}

/** Whatever goes on for a node ends; its state is for others to change. */
function release(step: Step, at: At): void {
  stop(step, at);
  const { iterations, wait } = step.row(at);
  for (const { index } of iterations?.open ?? []) closeIteration(step, at, index, 'superseded', 'force');
  step.clearTimers(at);
  if (wait !== null) step.emit({ type: 'wait-ended', ...at, token: wait.token, by: step.envelope.by });
}

function isKnown(step: Step, at: At, id: string): boolean {
  const node = step.graph.nodes[at.node];
  if (node !== undefined && step.facts.undoes.has(node.number) && step.row(at).wait === null) {
    step.reject('workflow.node-not-begun', `${id} compensates another node, and runs only then`);
    return false;
  }
  if (node !== undefined && node.standIn >= 0 && !node.removed) {
    const { id: first } = step.graph.nodes[node.standIn]!;
    step.reject('workflow.in-segment', `${id} runs in the segment of ${first}, as a part of it: name ${first}`);
    return false;
  }
  if (node !== undefined && !node.removed) return true;
  step.reject('workflow.unknown-node', `workflow ${step.header.workflow} has no node ${id}`);
  return false;
}

function isAtTheTop(step: Step, at: At): boolean {
  const { parent, id } = step.node(at);
  if (parent < 0) return true;
  const around = step.graph.nodes[parent]!.id;
  step.reject('workflow.within', `${id} lies within ${around}, which has iterations: name that one`);
  return false;
}

function mayBegin(step: Step): boolean {
  const { phase } = step.header;
  return phase === 'running' || phase === 'paused';
}
