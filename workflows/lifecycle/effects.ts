import type { Json } from '../../core/ids.ts';
import type { At } from '../../events/events.ts';
import type { GraphNode } from '../graph.ts';
import type { ChildConfig } from '../nodes/configs.ts';
import { firstOf } from './goes-on.ts';
import { configOf, inputsOf, type Ports } from './inputs.ts';
import { heldSession } from './session.ts';
import type { Step } from './step.ts';

/** What a step asks of the world, made of the rows. */

export function queueEffect(step: Step, at: At, node: GraphNode) {
  const { priority, deadline } = step.header;
  const { attempt } = step.row(at);
  const most = Math.max(priority, node.priority);
  return { effect: 'queue', node: at.node, iteration: at.iteration, attempt, priority: most, deadline } as const;
}

export function runEffect(step: Step, at: At, node: GraphNode) {
  const { attempt, checkpoint, lost } = step.row(at);
  const inputs = inputsOf(step, at, node);
  const config = configOf(step, at, node, inputs);
  const resume = checkpoint as Json;
  const { mode, phase } = step.header;
  // what begins when the execution is at its end has no end else
  const ending = step.header.ending || phase === 'cancelling' || phase === 'compensating';
  const { node: number, iteration } = at;
  const first = firstOf(step.header);
  return {
    effect: 'run',
    node: number,
    iteration,
    attempt,
    mode,
    inputs,
    config,
    resume,
    lost,
    ending,
    first,
  } as const;
}

export function childEffect(step: Step, at: At, child: string, config: ChildConfig, inputs: Ports) {
  const { workflow, version, input = inputs['in'] ?? null } = config;
  const { mode, user, priority, deadline, labels } = step.header;
  const parent = { execution: step.head.execution, node: at.node, iteration: at.iteration };
  const own = { idempotencyKey: null, parent, select: null, pins: null, forkOf: null };
  const session = heldSession(step);
  const shared = session === undefined ? {} : { session };
  const command = { type: 'start', input, mode, user, priority, deadline, labels, ...own, ...shared } as const;
  const named = version === undefined ? workflow : `${workflow}@${version}`;
  return { effect: 'send', execution: child, workflow: named, command } as const;
}
