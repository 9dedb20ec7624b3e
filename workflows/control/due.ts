import type { Millis } from '../../core/ids.ts';
import type { Cause, StepEvent, StepRecord } from '../../events/events.ts';
import type { Command, Effect } from '../lifecycle/lifecycle.ts';
import type { DirectSender } from './direct-commands.ts';
import type { CommandMessage } from './messages.ts';
import { SCHEDULED } from './schedules.ts';
import type { Granted } from './slots.ts';
import type { Timer } from './timer-rows.ts';

/** What is to be judged next, at most a few at a time. */
export interface Due {
  readonly execution: string;
  readonly workflow: string | undefined;
  readonly version: string | undefined;
  readonly command: Command;
  readonly id: string;
  readonly by: string | null;
  readonly at: Millis;
  readonly cause: Cause;
  /** Of a command that came directly. */
  readonly sender?: DirectSender | undefined;
}

export const CONTINUE: Cause = { kind: 'continue' };
export const NOBODY = { workflow: undefined, version: undefined, by: null } as const;

/** A record that is of no history, seq 0: it tells the sender of a command that nothing has changed. */
export function refusal({ execution, at, cause }: Due, code: string, why: string): StepRecord {
  const events: readonly StepEvent[] = [{ type: 'rejected', code, why }];
  return { execution, seq: 0, revision: 0, definition: '', at, cause, events };
}

export function grant({ execution, ...task }: Granted, at: Millis): Due {
  const id = `grant ${task.node} ${task.iteration} ${task.attempt}`;
  const cause: Cause = { kind: 'command', type: 'grant', id, by: null };
  return { ...NOBODY, execution, command: { type: 'grant', ...task }, id, at, cause };
}

export function isOfSchedule({ id, workflow }: Due): boolean {
  return workflow !== undefined && id.startsWith(SCHEDULED);
}

export function messageOf({ execution, workflow, version, command, id, by, at }: Due): CommandMessage {
  return {
    ...{ x: execution, c: command, id, at },
    ...(workflow === undefined ? {} : { w: workflow }),
    ...(version === undefined ? {} : { v: version }),
    ...(by === null ? {} : { by }),
  };
}

/** A timer of an execution. */
export function dueTimer({ execution, ...timer }: Timer, now: Millis): Due {
  const cause: Cause = { kind: 'timer', timer: timer.timer, due: timer.due };
  const id = `timer ${timer.timer} ${timer.node} ${timer.iteration} ${timer.attempt} ${timer.due}`;
  const at = Math.max(timer.due, now);
  return { ...NOBODY, execution, command: { type: 'timer', ...timer }, id, at, cause };
}

/** What the parent hears of an execution that could not begin: it has failed. */
export function notBegun(
  child: string,
  { execution, node, iteration }: { readonly execution: string; readonly node: number; readonly iteration: string },
  why: { readonly code: string; readonly message: string },
): Extract<Effect, { readonly effect: 'send' }> {
  const error = { class: 'USER', ...why, instance: '' } as const;
  const outcome = { child, status: 'FAILED', output: null, error } as const;
  const command = { type: 'child-ended', node, iteration, ...outcome } as const;
  return { effect: 'send', execution, workflow: null, command };
}
