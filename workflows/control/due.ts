import type { Millis } from '../../core/ids.ts';
import type { Cause } from '../../events/events.ts';
import type { Command } from '../lifecycle/lifecycle.ts';
import type { CommandMessage } from './messages.ts';
import { SCHEDULED } from './schedules.ts';
import type { Granted } from './slots.ts';

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
  /** Of a command that came directly: it is to come over the log. */
  readonly giveBack?: (() => void) | undefined;
}

export const CONTINUE: Cause = { kind: 'continue' };
export const NOBODY = { workflow: undefined, version: undefined, by: null } as const;

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
