import type { Command } from './command.ts';
import type { Effect } from './lifecycle.ts';
import { partsOf } from './row.ts';
import type { Step } from './step.ts';

type Of<Type extends Command['type']> = Extract<Command, { readonly type: Type }>;

/** What is there becomes the whole: segments that run are told so, and executions that were started. Twice is as once. */
export function end(step: Step, { inherited }: Of<'end'>): void {
  const { mode, phase, ending } = step.header;
  if (ending) return;
  if (mode !== 'streaming' && inherited !== true) {
    step.reject('workflow.not-streaming', `the execution runs as ${mode}: it ends by itself, or is cancelled`);
    return;
  }
  if (phase === 'paused' && inherited !== true) {
    step.reject('workflow.paused', 'the execution is paused: resume it first');
    return;
  }
  step.emit({ type: 'ending', by: step.envelope.by });
  for (const [key, { status, attempt, wait }] of step.rows.allNodes()) {
    if (status !== 'RUNNING') continue;
    const at = partsOf(key);
    const { kind } = step.node(at).type.behaviour;
    if (kind === 'operator') step.effects.push({ effect: 'end', ...at, attempt });
    else if (wait?.on === 'child') step.effects.push(endChild(wait.token));
  }
}

/** For an execution that a node of an ending one waits for. */
export function endChild(child: string): Effect {
  return { effect: 'send', execution: child, workflow: null, command: { type: 'end', inherited: true } };
}
