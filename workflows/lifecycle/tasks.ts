import type { Json } from '../../core/ids.ts';
import type { At } from '../../events/events.ts';
import { failAttempt, finish } from './attempt.ts';
import { grant } from './begin.ts';
import { endPassed } from './inner.ts';
import type { Command, NodeRow } from './lifecycle.ts';
import { FIGURES, isOld } from './segment-figures.ts';
import type { Step } from './step.ts';

type Of<Type extends Command['type']> = Extract<Command, { readonly type: Type }>;

/** The row of the attempt that a message is about; undefined where that is not the one that runs. */
function running(step: Step, at: At & { readonly attempt: number }): NodeRow | undefined {
  const node = step.graph.nodes[at.node];
  if (node === undefined) return undefined;
  const { kind } = node.type.behaviour;
  const row = step.row(at);
  const isTask = kind === 'task' || kind === 'operator';
  return isTask && row.status === 'RUNNING' && row.attempt === at.attempt ? row : undefined;
}

function stale(step: Step, { node, iteration, attempt }: At & { readonly attempt: number }, what: string): void {
  const id = step.graph.nodes[node]?.id ?? `node ${node}`;
  const where = iteration === '' ? id : `${id} in iteration ${iteration}`;
  step.reject('workflow.stale', `the ${what} of attempt ${attempt} of ${where} comes too late: stop`);
}

export function report(step: Step, command: Of<'report'>): void {
  if (running(step, command) === undefined) {
    stale(step, command, 'report');
    return;
  }
  const at = { node: command.node, iteration: command.iteration };
  const { outcome } = command;
  if (outcome.progress !== undefined) tellProgress(step, at, outcome.progress);
  if (outcome.ok) {
    finish(step, at, outcome.outputs);
    return;
  }
  failAttempt(step, at, outcome.error, { retryAfterMs: outcome.retryAfterMs });
}

/** The time that it may run begins. */
export function called(step: Step, command: Of<'called'>): void {
  const row = running(step, command);
  if (row === undefined) {
    stale(step, command, 'call');
    return;
  }
  const at = { node: command.node, iteration: command.iteration };
  const { runMs } = step.node(at).timeouts;
  if (runMs === null || row.timers.some(({ timer }) => timer === 'run')) return;
  step.setTimer(at, 'run', step.at + runMs, row.attempt);
}

export function checkpoint(step: Step, command: Of<'checkpoint'>): void {
  const row = running(step, command);
  if (row === undefined) {
    stale(step, command, 'checkpoint');
    return;
  }
  const { node, iteration, number, value } = command;
  // one that comes again, or was overtaken, is nothing new
  if (row.checkpoint !== null && row.checkpoint.number >= number) return;
  step.emit({ type: 'checkpoint', node, iteration, number, value });
}

export function progress(step: Step, command: Of<'progress'>): void {
  if (running(step, command) === undefined) {
    stale(step, command, 'progress');
    return;
  }
  tellProgress(step, { node: command.node, iteration: command.iteration }, command.value);
}

/** Figures of a segment that come again, or were overtaken, are nothing new. */
function tellProgress(step: Step, at: At, value: Json): void {
  const isSegment = step.node(at).type.behaviour.kind === 'operator';
  if (isSegment && isOld(value, step.output(at, FIGURES))) return;
  step.emit({ type: 'progress', ...at, value });
  if (isSegment) endPassed(step, at, value);
}

/** Void where the task is no longer queued, or the execution is paused: the slot goes to another. */
export function granted(step: Step, command: Of<'grant'>): void {
  const at = { node: command.node, iteration: command.iteration };
  const node = step.graph.nodes[command.node];
  if (node === undefined || step.header.phase === 'paused') return;
  const row = step.row(at);
  if (row.status !== 'QUEUED' || row.attempt !== command.attempt) return;
  grant(step, at, node);
}
