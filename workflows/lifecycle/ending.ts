import type { Command } from './command.ts';
import { begunSegments } from './goes-on.ts';
import type { Effect } from './lifecycle.ts';
import { GRACE_MS } from './limits.ts';
import { notRunning } from './not-running.ts';
import { partsOf } from './row.ts';
import type { Step } from './step.ts';
import { closeMore } from './whole.ts';

type Of<Type extends Command['type']> = Extract<Command, { readonly type: Type }>;

/** What is there becomes the whole: segments that run are told so, and executions that were started. Twice is as once. */
export function end(step: Step, { inherited }: Of<'end'>): void {
  if (step.header.ending) return;
  if (inherited !== true && !isStreaming(step)) return;
  if (step.header.savepoint !== null) {
    notRunning(step);
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

/** It ends as by a cancel, and its segments keep what they have; what goes on from there starts when it has ended. */
export function savepoint(step: Step, { next, graceMs = GRACE_MS }: Of<'savepoint'>): void {
  const { phase, ending, parent, savepoint: before } = step.header;
  if (before !== null && before.next?.version === next?.version) return;
  if (!isStreaming(step)) return;
  if (phase !== 'running') {
    notRunning(step);
    return;
  }
  if (parent !== null) {
    step.reject(
      'workflow.no-savepoint',
      `${parent.execution} waits for the execution, and would hear that it has ended`,
    );
    return;
  }
  if (ending) {
    step.reject('workflow.no-savepoint', 'the execution takes what is there as the whole already: wait for its end');
    return;
  }
  const reason = unkept(step) ?? (next === null ? undefined : unfit(step, next.segments));
  if (reason !== undefined) {
    step.reject(...reason);
    return;
  }
  const goesOn = next === null ? null : { version: next.version, nodes: next.nodes };
  step.emit({ type: 'savepoint', next: goesOn, by: step.envelope.by });
  step.setTimer({ node: -1, iteration: '' }, 'grace', step.at + Math.max(0, graceMs), 0);
  closeMore(step);
}

type Reason = readonly [code: string, why: string];

/** What is open that nothing could take up. */
function unkept(step: Step): Reason | undefined {
  const code = 'workflow.no-savepoint';
  for (const [key, { wait }] of step.rows.allNodes()) {
    const { id } = step.node(partsOf(key));
    if (wait?.on === 'child') return [code, `${id} waits for the execution ${wait.token}, which would begin again`];
  }
  for (const at of begunSegments(step.rows, step.graph)) {
    const around = step.graph.nodes[step.node(at).parent]?.id;
    if (step.row(at).checkpoint?.number === 0) {
      return [code, `${step.node(at).id} is to begin anew, and has not run since: ask again when it does`];
    }
    if (around !== undefined) return [code, `${step.node(at).id} lies within ${around}, which would begin again`];
  }
  return undefined;
}

/** Why the next version cannot take up what has begun. */
function unfit(step: Step, segments: { readonly [id: string]: string | null }): Reason | undefined {
  for (const at of begunSegments(step.rows, step.graph)) {
    const { id } = step.node(at);
    const why = Object.hasOwn(segments, id)
      ? segments[id]!
      : `${id} has begun while the versions were compared; ask again`;
    if (why !== null) return ['workflow.not-upgradable', why];
  }
  const { isPartial, workflow } = step.header;
  if (!isPartial) return undefined;
  return ['workflow.not-upgradable', `the execution runs a part of ${workflow}, and the next version would run all`];
}

/** Says so where it is not, or is paused. */
function isStreaming(step: Step): boolean {
  const { mode, phase } = step.header;
  if (mode !== 'streaming') {
    step.reject('workflow.not-streaming', `the execution runs as ${mode}: it ends by itself, or is cancelled`);
  } else if (phase === 'paused') step.reject('workflow.paused', 'the execution is paused: resume it first');
  else return true;
  return false;
}
