import type { At } from '../../../events/events.ts';
import type { Graph } from '../../graph.ts';
import type { ChildConfig } from '../../nodes/configs.ts';
import { childEffect, queueEffect, runEffect } from '../effects.ts';
import { configOf, inputsOf } from '../inputs.ts';
import type { Decided, Effect, LifecycleParts, Rows, RowTimer } from '../lifecycle.ts';
import { partsOf } from '../row.ts';
import { Step } from '../step.ts';

/** Timers, tasks and children that the rows wait for: what a new owner, who knows the rows alone, has to see to. */
export function outstanding(parts: LifecycleParts, rows: Rows, graph: Graph): Pick<Decided, 'effects' | 'more'> {
  const header = rows.header();
  if (header === undefined || header.phase === 'ended') return { effects: [], more: false };
  const isClosing = header.phase === 'cancelling' || header.phase === 'compensating';
  const more = isClosing || (header.phase === 'running' && header.deferred.length > 0);
  const cause = { kind: 'continue' } as const;
  const step = new Step(parts, rows, graph, header.execution, { id: '', by: null, at: header.startedAt, cause });
  return { effects: effectsOf(step), more };
}

function effectsOf(step: Step): readonly Effect[] {
  const effects: Effect[] = step.header.timers.map((timer) => timerEffect({ node: -1, iteration: '' }, timer));
  for (const [key, row] of step.rows.allNodes()) {
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
