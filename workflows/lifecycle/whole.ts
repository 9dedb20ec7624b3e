import type { Json } from '../../core/ids.ts';
import type { At, ExecutionStatus, FailureInfo, TransitionCause } from '../../events/events.ts';
import { type Closing, cancelCause, closeTop } from './close.ts';
import { summed } from './evolve-iterations.ts';
import { continuation, continuesOf } from './goes-on.ts';
import { valueAt } from './inputs.ts';
import { goOnFromPause } from './paused.ts';
import { partsOf } from './row.ts';
import { leaveSession } from './session.ts';
import { sized } from './sized.ts';
import type { Step } from './step.ts';

const WHOLE: At = { node: -1, iteration: '' };

/** A failure that nobody handles: all that is open is closed, then what can be undone is. */
export function failExecution(step: Step, error: FailureInfo): void {
  const { phase, compensable } = step.header;
  if (phase !== 'running' && phase !== 'paused') return;
  step.emit({ type: 'compensating', error, order: [...compensable].reverse() });
  closeMore(step);
  if (phase === 'paused') goOnFromPause(step);
}

/** Closes on what an execution that is cancelled, or fails, has open. */
export function closeMore(step: Step): void {
  const { phase, error, timers } = step.header;
  if (phase === 'compensating') {
    const cause: TransitionCause = error?.code === 'workflow.deadline' ? 'deadline' : 'upstream-failed';
    closeTop(step, cause, 'at-once');
  } else if (phase === 'cancelling') {
    const how: Closing = timers.some(({ timer }) => timer === 'grace') ? 'graceful' : 'force';
    closeTop(step, cancelCause(step), how);
  }
}

/** Nothing is left to look at in this step: true where that makes more to do. */
export function settle(step: Step): boolean {
  const { counts, phase, compensable, error } = step.header;
  if (step.unclosed || counts.PENDING + counts.QUEUED + counts.RUNNING > 0) return false;
  switch (phase) {
    case 'running':
    case 'paused':
      return completed(step);
    case 'cancelling':
      return ended(step, 'CANCELLED', null, null);
    case 'compensating': {
      const last = compensable.at(-1);
      if (last === undefined) return ended(step, 'FAILED', null, error);
      undo(step, last);
      return true;
    }
    case 'ended':
      return false;
  }
}

function undo(step: Step, key: string): void {
  const done = partsOf(key);
  const at = { node: step.node(done).compensation, iteration: done.iteration };
  const { attempt } = step.row(at);
  step.emit({ type: 'node', ...at, attempt, from: null, to: 'PENDING', cause: 'compensation' });
  step.work.push(at);
}

function completed(step: Step): boolean {
  const output = answerOf(step);
  if ('error' in output) {
    failExecution(step, output.error);
    return true;
  }
  return ended(step, 'COMPLETED', output.value, null);
}

function answerOf(step: Step): { readonly value: Json } | { readonly error: FailureInfo } {
  const { graph, facts } = step;
  const instance = '/outputs';
  const value: { [name: string]: Json } = {};
  if (graph.outputs === null) {
    for (const number of facts.topLeaves) {
      const at = { node: number, iteration: '' };
      const node = graph.nodes[number]!;
      if (step.row(at).status === 'COMPLETED') value[node.id] = valueAt(step, at, node);
    }
  } else {
    try {
      const scope = { input: step.header.input, nodes: outputsById(step) };
      for (const { name, value: template } of graph.outputs) value[name] = template.fill(scope);
    } catch (thrown) {
      return { error: step.parts.failure(thrown, instance) };
    }
  }
  const { error } = sized(value, 'the answer of the execution', 'answer with a reference', instance);
  return error === undefined ? { value } : { error };
}

/** `nodes.<id>.<port>` of what has put out something. */
function outputsById(step: Step): { readonly [id: string]: { readonly [port: string]: Json } } {
  const found: { [id: string]: { [port: string]: Json } } = {};
  for (const number of step.facts.top) {
    const node = step.graph.nodes[number]!;
    const names = new Set(['out', ...node.outputs]);
    const ports: { [port: string]: Json } = {};
    for (const port of names) {
      const value = step.output({ node: number, iteration: '' }, port);
      if (value !== undefined) ports[port] = value;
    }
    found[node.id] = ports;
  }
  return found;
}

function ended(
  step: Step,
  status: Extract<ExecutionStatus, 'COMPLETED' | 'FAILED' | 'CANCELLED'>,
  output: Json,
  error: FailureInfo | null,
): boolean {
  step.clearTimers(WHOLE);
  const { degraded, parent, counts, past } = step.header;
  const told = past === null ? {} : { counts: summed(counts, past) };
  step.emit({ type: 'ended', status, degraded, output, error, ...told });
  const isKept = step.header.savepoint !== null;
  const session = leaveSession(step, status === 'COMPLETED' || isKept);
  if (parent !== null) {
    const { execution, node, iteration } = parent;
    const child = step.head.execution;
    const written = session === undefined ? {} : { session };
    const kept = isKept ? { kept: continuesOf(step.header) } : {};
    const command = {
      type: 'child-ended',
      child,
      node,
      iteration,
      status,
      output,
      error,
      ...written,
      ...kept,
    } as const;
    step.effects.push({ effect: 'send', execution, workflow: null, command });
  }
  const next = step.header.savepoint?.next ?? null;
  if (next !== null) step.effects.push(continuation(step.rows, step.graph, next));
  return false;
}
