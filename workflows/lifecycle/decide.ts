import type { Millis } from '../../core/ids.ts';
import type { Graph } from '../graph.ts';
import { cancel, intervene, pause, redrive, resume, retryFrom } from './by-hand.ts';
import { end, savepoint } from './ending.ts';
import { evolve, REMEMBERED } from './evolve.ts';
import { explain } from './explain.ts';
import { inputsOf } from './inputs.ts';
import type { Command, Decided, Envelope, Lifecycle, LifecycleParts, Rows } from './lifecycle.ts';
import { patch } from './patch.ts';
import { proceed } from './ready.ts';
import { unpacked } from './row.ts';
import { waitsForSession } from './session.ts';
import { sessionGranted } from './session-begin.ts';
import { approve, childEnded, signal } from './signals.ts';
import { start } from './start.ts';
import { Step } from './step.ts';
import { called, checkpoint, granted, progress, report } from './tasks.ts';
import { fired } from './timers.ts';
import { closeMore } from './whole.ts';

/** What comes from the engine itself, and is of no use to anybody where it comes too late. */
const SILENT: ReadonlySet<Command['type']> = new Set(['timer', 'grant', 'child-ended', 'continue', 'session-granted']);

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  return {
    decide: (rows, graph, execution, command, envelope) => decide(parts, rows, graph, execution, command, envelope),
    evolve,
    explain: (rows, graph, node, iteration, now, holder) =>
      explain(looking(parts, rows, graph, now), node, iteration, holder),
    inputs: (rows, graph, node) =>
      inputsOf(looking(parts, rows, graph, 0), { node, iteration: '' }, graph.nodes[node]!),
  };
}

/** A step that decides nothing. */
function looking(parts: LifecycleParts, rows: Rows, graph: Graph, now: Millis): Step {
  const envelope = { id: '', by: null, at: now, cause: { kind: 'continue' } } as const;
  return new Step(parts, rows, graph, rows.header()?.execution ?? '', envelope);
}

function decide(
  parts: LifecycleParts,
  rows: Rows,
  graph: Graph,
  execution: string,
  command: Command,
  envelope: Envelope,
): Decided {
  const header = rows.header();
  const step = new Step(parts, rows, graph, execution, envelope);
  if (header === undefined) {
    if (command.type !== 'start')
      return refused(step, command, 'workflow.unknown-execution', `${execution} is not known`);
    start(step, command);
  } else if (command.type === 'start') {
    return NOTHING;
  } else if (header.phase === 'ended') {
    return refused(step, command, 'workflow.ended', `${execution} has ended: it is ${header.status}`);
  } else {
    if (REMEMBERED.has(command.type) && header.lastCommands.includes(envelope.id)) return NOTHING;
    for (const at of unpacked(header.deferred)) step.work.push(at);
    act(step, command);
  }
  // a rejection changes nothing: what is deferred stays so
  if (step.events[0]?.type === 'rejected')
    return { record: { ...step.head, events: step.events }, effects: [], more: false };
  proceed(step);
  return step.finish();
}

function act(step: Step, command: Exclude<Command, { readonly type: 'start' }>): void {
  switch (command.type) {
    case 'report':
      report(step, command);
      return;
    case 'timer':
      fired(step, command);
      return;
    case 'grant':
      granted(step, command);
      return;
    case 'called':
      called(step, command);
      return;
    case 'checkpoint':
      checkpoint(step, command);
      return;
    case 'progress':
      progress(step, command);
      return;
    case 'session-granted':
      sessionGranted(step, command);
      return;
    case 'child-ended':
      childEnded(step, command);
      return;
    case 'signal':
      signal(step, command);
      return;
    case 'approve':
      approve(step, command);
      return;
    case 'cancel':
      cancel(step, command);
      return;
    case 'end':
      end(step, command);
      return;
    case 'savepoint':
      savepoint(step, command);
      return;
    case 'forget':
      step.reject('workflow.no-savepoint', 'the execution has not ended at a savepoint');
      return;
    case 'pause':
      pause(step);
      return;
    case 'resume':
      resume(step);
      return;
    case 'retry-from':
      retryFrom(step, command);
      return;
    case 'redrive':
      redrive(step, command);
      return;
    case 'intervene':
      if (waitsForSession(step.header)) {
        step.reject(
          'workflow.rejected',
          'it waits for its session, and nothing of it begins before: wait, or cancel it',
        );
        return;
      }
      intervene(step, command);
      return;
    case 'patch':
      patch(step, command);
      return;
    case 'continue':
      closeMore(step);
      return;
  }
}

const NOTHING: Decided = { record: undefined, effects: [], more: false };

/** Of no history: the execution is not there, or no longer. */
function refused(step: Step, command: Command, code: string, why: string): Decided {
  if (SILENT.has(command.type)) return NOTHING;
  const record = { ...step.head, seq: 0, events: [{ type: 'rejected', code, why } as const] };
  return { record, effects: [], more: false };
}
