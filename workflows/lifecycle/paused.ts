import type { At } from '../../events/events.ts';
import { runsAtTheEnd } from './close.ts';
import { queueEffect } from './effects.ts';
import type { RowTimer } from './lifecycle.ts';
import { isTerminal, partsOf } from './row.ts';
import { tellStarted } from './started.ts';
import type { Step } from './step.ts';

/** Executions that nodes wait for pause with this one. */
export function pauseChildren(step: Step): void {
  tellChildren(step, 'pause', () => true);
}

/**
 * A pause is over, by a resume, a failure or a cancel. What was due, or offered, while it lasted is void by now, and is
 * asked for again; where the execution is at its end, slots for what runs there alone.
 */
export function goOnFromPause(step: Step): void {
  const isAtItsEnd = step.header.phase !== 'running';
  const mayGoOn = (at: At) => !isAtItsEnd || runsAtTheEnd(step, at);
  tellChildren(step, 'resume', mayGoOn);
  for (const timer of step.header.timers) arm(step, { node: -1, iteration: '' }, timer);
  for (const [key, row] of step.rows.allNodes()) {
    const at = partsOf(key);
    for (const timer of row.timers) arm(step, at, timer);
    if (row.status === 'QUEUED' && mayGoOn(at)) step.effects.push(queueEffect(step, at, step.node(at)));
  }
}

function arm(step: Step, { node, iteration }: At, { timer, due, attempt }: RowTimer): void {
  step.effects.push({ effect: 'set-timer', node, iteration, timer, due, attempt });
}

function tellChildren(step: Step, type: 'pause' | 'resume', isMeant: (at: At) => boolean): void {
  for (const [key, { status, wait }] of step.rows.allNodes()) {
    const at = partsOf(key);
    if (isTerminal(status) || !isMeant(at)) continue;
    // also of a segment that waits for its next attempt
    tellStarted(step, at, { type });
    if (status !== 'RUNNING' || wait?.on !== 'child') continue;
    step.effects.push({ effect: 'send', execution: wait.token, workflow: null, command: { type } });
  }
}
