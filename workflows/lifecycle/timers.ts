import type { At, FailureInfo, TransitionCause } from '../../events/events.ts';
import { failAttempt, finish } from './attempt.ts';
import { closeContainer, stop } from './close.ts';
import { inputsOf } from './inputs.ts';
import type { Command } from './lifecycle.ts';
import type { Step } from './step.ts';
import { closeMore, failExecution } from './whole.ts';

type Timer = Extract<Command, { readonly type: 'timer' }>;

/** A timer is due. Void where it is not set any more; while paused it stays set, and is armed again by the resume. */
export function fired(step: Step, command: Timer): void {
  const { timer, node, iteration, due, attempt } = command;
  const at = { node, iteration };
  const isWhole = node < 0;
  if (!isWhole && step.graph.nodes[node] === undefined) return;
  const timers = isWhole ? step.header.timers : step.row(at).timers;
  const isSet = timers.some((each) => each.timer === timer && each.due === due && each.attempt === attempt);
  if (!isSet || due > step.at) return;
  if (step.header.phase === 'paused' && timer !== 'grace') return;
  step.emit({ type: 'timer-cleared', node, iteration, timer, due, attempt });
  if (isWhole) wholeFired(step, timer);
  else nodeFired(step, at, timer);
}

function wholeFired(step: Step, timer: Timer['timer']): void {
  if (timer === 'grace') closeMore(step);
  if (timer !== 'deadline') return;
  const message = 'the execution has not ended by its deadline';
  failExecution(step, { class: 'PERMANENT', code: 'workflow.deadline', message, instance: '' });
}

function nodeFired(step: Step, at: At, timer: Timer['timer']): void {
  switch (timer) {
    case 'retry':
      step.work.push(at);
      return;
    case 'delay':
      finish(step, at, { out: inputsOf(step, at, step.node(at))['in'] ?? null });
      return;
    case 'escalate':
      escalate(step, at);
      return;
    case 'queue':
    case 'run':
    case 'total':
      timedOut(step, at, timer);
      return;
    default:
      return;
  }
}

function escalate(step: Step, at: At): void {
  const { wait } = step.row(at);
  if (wait === null) return;
  const { node, iteration } = at;
  step.emit({ type: 'waiting', node, iteration, on: 'approval', token: wait.token, detail: { escalated: true } });
}

const CAUSES: { readonly [timer in 'queue' | 'run' | 'total']: TransitionCause } = {
  queue: 'timeout-queue',
  run: 'timeout-run',
  total: 'timeout-total',
};

function timedOut(step: Step, at: At, timer: 'queue' | 'run' | 'total'): void {
  const node = step.node(at);
  const { timeouts, id, type } = node;
  const span = timer === 'queue' ? timeouts.queueMs : timer === 'run' ? timeouts.runMs : timeouts.totalMs;
  const what = timer === 'queue' ? 'no slot was free for it' : timer === 'run' ? 'it ran' : 'all its attempts took';
  const message = `${id}: ${what} for ${span} ms`;
  const error: FailureInfo = {
    class: 'TRANSIENT',
    code: `workflow.timeout-${timer}`,
    message,
    instance: `/nodes/${at.node}`,
  };
  const row = step.row(at);
  if (type.behaviour.kind === 'container' && row.status === 'RUNNING') {
    if (row.iterations === null || row.iterations.closing !== null) return;
    step.emit({ type: 'iteration', ...at, index: -1, to: 'failing', value: { ...error, node: id } as never });
    closeContainer(step, at, 'failed', 'at-once');
    return;
  }
  const before = step.effects.length;
  stop(step, at);
  failAttempt(step, at, error, { cause: CAUSES[timer], isFinal: timer === 'total' });
  if (!step.row(at).timers.some((each) => each.timer === 'retry')) return;
  const effect = step.effects[before];
  if (effect?.effect === 'abort') step.effects[before] = { ...effect, again: true };
}
