import type { Json } from '../core/ids.ts';
import type { NodeOutputs } from '../events/events.ts';
import type { WorkflowDocument } from './document.ts';
import type { Command } from './lifecycle/lifecycle.ts';
import type { StartOptions } from './workflows.ts';

/** Of a fork: the step of another execution that it goes on from. */
export type Origin = NonNullable<Extract<Command, { type: 'start' }>['forkOf']>;

/** What a start says that leaves to the document what it does not say itself. */
export function startCommand(
  document: WorkflowDocument,
  input: Json,
  options: StartOptions = {},
  { forkOf, outputs }: { readonly forkOf: Origin | null; readonly outputs?: NodeOutputs } = { forkOf: null },
): Command {
  const command: Extract<Command, { type: 'start' }> = {
    type: 'start',
    input,
    mode: options.mode ?? document.mode ?? 'realtime',
    user: options.user ?? null,
    priority: options.priority ?? document.policy?.priority ?? 5,
    deadline: options.deadline ?? null,
    labels: options.labels ?? document.labels ?? {},
    idempotencyKey: options.idempotencyKey ?? null,
    parent: null,
    select: options.select === undefined ? null : { closure: 'none', ...options.select },
    pins: options.pins ?? null,
    forkOf,
  };
  return outputs === undefined ? command : { ...command, outputs };
}
