import type { At } from '../../events/events.ts';
import type { ChildConfig } from '../nodes/configs.ts';
import { childEffect, queueEffect, runEffect } from './begin.ts';
import { configOf, inputsOf } from './inputs.ts';
import type { Effect, RowTimer } from './lifecycle.ts';
import { partsOf } from './row.ts';
import type { Step } from './step.ts';

/** What the rows wait for, of the world: made again for whoever takes an execution over. */
export function outstandingOf(step: Step): readonly Effect[] {
  const effects: Effect[] = step.header.timers.map((timer) => timerEffect({ node: -1, iteration: '' }, timer));
  for (const [key, row] of step.rows.nodesOf('')) {
    const at = partsOf(key);
    for (const timer of row.timers) effects.push(timerEffect(at, timer));
    const node = step.node(at);
    const { kind } = node.type.behaviour;
    if (row.status === 'QUEUED') effects.push(queueEffect(step, at, node));
    if (row.status !== 'RUNNING') continue;
    if (kind === 'task' || kind === 'operator') effects.push(runEffect(step, at, node));
    if (kind === 'child' && row.wait !== null) {
      const inputs = inputsOf(step, at, node);
      const config = configOf(step, at, node, inputs) as unknown as ChildConfig;
      effects.push(childEffect(step, at, row.wait.token, config, inputs));
    }
  }
  return effects;
}

function timerEffect({ node, iteration }: At, { timer, due, attempt }: RowTimer): Effect {
  return { effect: 'set-timer', node, iteration, timer, due, attempt };
}
