import type { Json } from '../../core/ids.ts';
import type { At } from '../../events/events.ts';
import { failAttempt, finish } from './attempt.ts';
import { cancelCause } from './close.ts';
import { skip } from './complete.ts';
import { signalName } from './evolve.ts';
import type { Command } from './lifecycle.ts';
import { partsOf } from './row.ts';
import { takeWrites } from './session.ts';
import type { Step } from './step.ts';
import { readToken } from './tokens.ts';

type Of<Type extends Command['type']> = Extract<Command, { readonly type: Type }>;

/** Ends the wait of the one that has waited longest, or is kept for whoever will wait. Each id counts once. */
export function signal(step: Step, { name, id, payload }: Of<'signal'>): void {
  if (step.header.lastCommands.includes(signalName(name, id))) return;
  const waiting = step.header.listening.find((key) => step.row(partsOf(key)).wait?.token === name);
  if (waiting === undefined) {
    step.emit({ type: 'signal-stored', name, id, payload });
    return;
  }
  const at = partsOf(waiting);
  step.emit({ type: 'signal-taken', name, id });
  step.emit({ type: 'wait-ended', ...at, token: name, by: step.envelope.by });
  finish(step, at, { out: payload });
}

export function approve(step: Step, { token, decision, value }: Of<'approve'>): void {
  const read = readToken(token);
  const at = read && { node: read.node, iteration: read.iteration };
  if (read === undefined || at === undefined || read.kind !== 'approval' || step.graph.nodes[read.node] === undefined) {
    step.reject('workflow.unknown-token', `${token} stands for no approval`);
    return;
  }
  const { wait, attempt, status } = step.row(at);
  if (wait?.token === token) {
    step.emit({ type: 'wait-ended', ...at, token, by: step.envelope.by });
    finish(step, at, { [decision]: value });
    return;
  }
  const answer = ['approved', 'rejected'].find((port) => step.output(at, port) !== undefined);
  if (status !== 'COMPLETED' || attempt !== read.attempt || answer === undefined) {
    step.reject('workflow.stale', 'nobody waits for this approval any more');
    return;
  }
  // the same answer again is the first one; another is told what the first one was
  if (answer !== decision) step.reject('workflow.answered', `it was ${answer} before`);
}

export function childEnded(step: Step, command: Of<'child-ended'>): void {
  const at: At = { node: command.node, iteration: command.iteration };
  if (step.graph.nodes[at.node] === undefined || step.row(at).wait?.token !== command.child) return;
  const { status, output, error, child } = command;
  step.emit({ type: 'wait-ended', ...at, token: child, by: null });
  if (status === 'COMPLETED') {
    takeWrites(step, at, command.session ?? {});
    finish(step, at, { out: output });
    return;
  }
  if (command.kept !== undefined) {
    const { node, iteration } = at;
    const { kept } = command;
    takeWrites(step, at, command.session ?? {});
    step.emit({ type: 'checkpoint', node, iteration, number: 1, value: kept as unknown as Json });
    skip(step, at, cancelCause(step));
    return;
  }
  const instance = `/nodes/${at.node}`;
  const cancelled = {
    class: 'USER',
    code: 'workflow.child-cancelled',
    message: `${child} was cancelled`,
    instance,
  } as const;
  const failed = { class: 'PERMANENT', code: 'workflow.child-failed', message: `${child} failed`, instance } as const;
  failAttempt(step, at, status === 'CANCELLED' ? cancelled : (error ?? failed));
}
