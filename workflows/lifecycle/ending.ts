import type { Command } from './command.ts';
import { openChildren, unkeptSegment } from './family.ts';
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
export function savepoint(step: Step, command: Of<'savepoint'>): void {
  const { phase, savepoint: before } = step.header;
  const { next, graceMs = GRACE_MS, inherited } = command;
  if (before !== null && before.next?.version === next?.version) return;
  // told by who started it, who has judged: what ends by itself is waited for
  if (inherited === true ? phase !== 'running' : isRefused(step, command)) return;
  const goesOn = next === null ? null : { version: next.version, nodes: next.nodes };
  step.emit({ type: 'savepoint', next: goesOn, by: step.envelope.by });
  step.setTimer({ node: -1, iteration: '' }, 'grace', step.at + Math.max(0, graceMs), 0);
  closeMore(step);
}

function isRefused(step: Step, { next, children = {} }: Of<'savepoint'>): boolean {
  const { phase, ending, parent } = step.header;
  if (!isStreaming(step)) return true;
  if (phase !== 'running') {
    notRunning(step);
    return true;
  }
  if (parent !== null) {
    step.reject(
      'workflow.no-savepoint',
      `${parent.execution} waits for the execution, and would hear that it has ended: ask for one of ${parent.execution}, which takes it along`,
    );
    return true;
  }
  if (ending) {
    step.reject('workflow.no-savepoint', 'the execution takes what is there as the whole already: wait for its end');
    return true;
  }
  const reason = unkept(step, children) ?? (next === null ? undefined : unfit(step, next.segments));
  if (reason !== undefined) step.reject(...reason);
  return reason !== undefined;
}

type Reason = readonly [code: string, why: string];

/** What is open that nothing could take up. */
function unkept(step: Step, children: { readonly [execution: string]: string | null }): Reason | undefined {
  const code = 'workflow.no-savepoint';
  for (const { at, child } of openChildren(step.rows)) {
    const why = Object.hasOwn(children, child) ? children[child]! : `${child} would begin again`;
    if (why !== null) return [code, `${step.node(at).id} waits for an execution: ${why}`];
  }
  const why = unkeptSegment(step.rows, step.graph);
  return why === undefined ? undefined : [code, why];
}

/** Why the next version cannot take up what has begun. */
function unfit(step: Step, segments: { readonly [id: string]: string | null }): Reason | undefined {
  const children = [...openChildren(step.rows)].flatMap(({ at }) => (at.iteration === '' ? [at] : []));
  for (const at of [...begunSegments(step.rows, step.graph), ...children]) {
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
