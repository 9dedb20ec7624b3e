import type { Json } from '../core/ids.ts';
import type { WorkflowDocument } from './document.ts';
import type { Command } from './lifecycle/lifecycle.ts';
import type { StartOptions } from './workflows.ts';

/** What a start says that leaves to the document what it does not say itself. */
export function startCommand(document: WorkflowDocument, input: Json, options: StartOptions = {}): Command {
  return {
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
  };
}
