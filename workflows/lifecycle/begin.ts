import { FlowError } from '../../core/errors.ts';
import type { Json, Millis } from '../../core/ids.ts';
import type { At, NodeStatus, TransitionCause } from '../../events/events.ts';
import { durationOf } from '../duration.ts';
import type { GraphNode } from '../graph.ts';
import type { ApprovalConfig, ChildConfig, DelayConfig, SignalConfig, SwitchConfig } from '../nodes/configs.ts';
import { failAttempt, finish } from './attempt.ts';
import { complete, type Judged, judge } from './complete.ts';
import { openContainer } from './containers.ts';
import { childEffect, queueEffect, runEffect } from './effects.ts';
import { endChild } from './ending.ts';
import { nameOf } from './goes-on.ts';
import { openSegment } from './inner.ts';
import { configOf, inputsOf, type Ports } from './inputs.ts';
import { heldSession, shareSession } from './session.ts';
import { sized } from './sized.ts';
import type { Step } from './step.ts';
import { tokenOf } from './tokens.ts';
import { tooDeep } from './too-deep.ts';

/** A node whose time has come, by what it is. */
export function beginNode(step: Step, at: At, node: GraphNode): void {
  const { behaviour } = node.type;
  switch (behaviour.kind) {
    case 'inline':
    case 'switch':
      runInline(step, at, node);
      return;
    case 'task':
    case 'operator':
      queue(step, at, node);
      return;
    case 'container':
      attempting(step, at, () => openContainer(step, at, node));
      return;
    default:
      attempting(step, at, () => wait(step, at, node));
      return;
  }
}

/** Runs within the step; where it succeeds, one transition tells all. */
function runInline(step: Step, at: At, node: GraphNode): void {
  const attempt = step.nextAttempt(at);
  const judged = tried(step, at, node, attempt);
  if (judged.error === undefined) {
    complete(step, at, judged, 'inline', attempt);
    return;
  }
  enter(step, at, 'RUNNING', 'inline');
  failAttempt(step, at, judged.error);
}

function tried(step: Step, at: At, node: GraphNode, attempt: number): Judged {
  const { execution } = step.head;
  try {
    const inputs = inputsOf(step, at, node);
    const config = configOf(step, at, node, inputs);
    if (node.type.behaviour.kind === 'switch') return judge(step, at, switched(config, inputs));
    const context = { at: step.at, execution, iteration: at.iteration, attempt };
    return judge(step, at, step.parts.runInline(node, config, inputs, context));
  } catch (thrown) {
    return { error: step.failure(at, thrown) };
  }
}

function switched(config: Json, inputs: Ports): Ports {
  const { cases } = config as unknown as SwitchConfig;
  const port = cases.find((each) => each.when === true)?.port ?? 'else';
  return { [port]: inputs['in'] ?? null };
}

/** A new attempt, with its timers. */
function enter(step: Step, at: At, to: NodeStatus, cause: TransitionCause): void {
  const attempt = step.nextAttempt(at);
  step.move(at, to, cause, attempt);
  if (cause === 'inline') return;
  const { queueMs, runMs, totalMs } = step.node(at).timeouts;
  const hasTotal = step.row(at).timers.some(({ timer }) => timer === 'total');
  if (totalMs !== null && !hasTotal) step.setTimer(at, 'total', step.at + totalMs, attempt);
  if (to === 'QUEUED' && queueMs !== null) step.setTimer(at, 'queue', step.at + queueMs, attempt);
  if (to === 'RUNNING' && runMs !== null) step.setTimer(at, 'run', step.at + runMs, attempt);
}

function queue(step: Step, at: At, node: GraphNode): void {
  enter(step, at, 'QUEUED', 'inputs-ready');
  step.effects.push(queueEffect(step, at, node));
}

/** A slot is there: the task runs. */
export function grant(step: Step, at: At, node: GraphNode): void {
  step.clearTimers(at, ['total']);
  step.move(at, 'RUNNING', 'slot-granted');
  const { runMs } = node.timeouts;
  const { attempt, lost } = step.row(at);
  // what is kept apart from others may have to wait before it is called
  if (runMs !== null && lost === 0) step.setTimer(at, 'run', step.at + runMs, attempt);
  try {
    step.effects.push(runEffect(step, at, node));
  } catch (thrown) {
    failAttempt(step, at, step.failure(at, thrown));
    return;
  }
  if (node.type.behaviour.kind !== 'operator') return;
  // later attempts go on with what this one does
  const { node: number, iteration } = at;
  if ((step.row(at).checkpoint?.number ?? 0) === 0)
    step.emit({ type: 'checkpoint', node: number, iteration, number: 1, value: null });
  openSegment(step, at);
}

/** Runs at once, without a slot; what is thrown fails the attempt. */
function attempting(step: Step, at: At, action: () => void): void {
  enter(step, at, 'RUNNING', 'inputs-ready');
  try {
    action();
  } catch (thrown) {
    failAttempt(step, at, step.failure(at, thrown));
  }
}

function wait(step: Step, at: At, node: GraphNode): void {
  if (node.type.behaviour.kind === 'child' && takeUp(step, at, node)) return;
  const inputs = inputsOf(step, at, node);
  const config = configOf(step, at, node, inputs) as unknown;
  switch (node.type.behaviour.kind) {
    case 'delay':
      delay(step, at, config as DelayConfig, inputs);
      return;
    case 'signal':
      listen(step, at, config as SignalConfig);
      return;
    case 'approval':
      ask(step, at, config as ApprovalConfig);
      return;
    default:
      startChild(step, at, config as ChildConfig, inputs);
      return;
  }
}

function delay(step: Step, at: At, config: DelayConfig, inputs: Ports): void {
  const due = dueOf(step, config);
  if (due <= step.at) {
    finish(step, at, { out: inputs['in'] ?? null });
    return;
  }
  const { node, iteration } = at;
  step.emit({ type: 'waiting', node, iteration, on: 'delay', token: '', detail: { until: due } });
  step.setTimer(at, 'delay', due, step.row(at).attempt);
}

function dueOf(step: Step, config: DelayConfig): Millis {
  const { for: span, until } = config;
  const due =
    until === undefined
      ? step.at + (durationOf(String(span)) ?? Number.NaN)
      : typeof until === 'number'
        ? until
        : Date.parse(until);
  if (!Number.isSafeInteger(due))
    throw new Error(`a delay needs \`for\` (such as 30s) or \`until\`, not ${JSON.stringify(config)}`);
  return due;
}

function listen(step: Step, at: At, { name }: SignalConfig): void {
  if (typeof name !== 'string' || name === '') throw new Error('the name of the signal is no text');
  const stored = step.rows.signal(name);
  const { node, iteration } = at;
  if (stored !== undefined) {
    step.emit({ type: 'signal-taken', name, id: stored.id });
    finish(step, at, { out: stored.payload });
    return;
  }
  step.emit({ type: 'waiting', node, iteration, on: 'signal', token: name, detail: null });
}

function ask(step: Step, at: At, config: ApprovalConfig): void {
  const { node, iteration } = at;
  const { attempt } = step.row(at);
  const token = tokenOf({ kind: 'approval', execution: step.head.execution, node, iteration, attempt });
  step.emit({ type: 'waiting', node, iteration, on: 'approval', token, detail: config as unknown as Json });
  const after = config.escalateAfter === undefined ? undefined : durationOf(config.escalateAfter);
  if (after !== undefined) step.setTimer(at, 'escalate', step.at + after, attempt);
}

function startChild(step: Step, at: At, config: ChildConfig, inputs: Ports): void {
  const { node, iteration } = at;
  const deep = tooDeep(step.head.execution);
  if (deep !== undefined) throw new FlowError('workflow.too-deep', `${config.workflow} ${deep}`);
  const child = childId(step, at);
  const effect = childEffect(step, at, child, config, inputs);
  const { bytes, error } = sized(effect.command.input, `the input of ${child}`, 'give a reference', `/nodes/${node}`);
  if (error !== undefined) {
    failAttempt(step, at, error);
    return;
  }
  step.emit({ type: 'waiting', node, iteration, on: 'child', token: child, detail: { workflow: config.workflow } });
  step.spend(bytes);
  shareSession(step);
  step.effects.push(effect);
  if (step.header.ending) step.effects.push(endChild(child));
}

/** What it had started goes on as it was started, where it was kept at the savepoint that the execution goes on from. */
function takeUp(step: Step, { node, iteration }: At, { id }: GraphNode): boolean {
  const { continues, ending } = step.header;
  const from = continues?.children?.[id];
  const { attempt, checkpoint } = step.row({ node, iteration });
  if (from === undefined || iteration !== '' || attempt > 1 || checkpoint !== null) return false;
  const child = nameOf(from);
  step.emit({ type: 'waiting', node, iteration, on: 'child', token: child, detail: { continues: from.execution } });
  const session = heldSession(step) ?? null;
  shareSession(step);
  const parent = { execution: step.head.execution, node, iteration };
  step.effects.push({ effect: 'take-up', from, execution: child, parent, session });
  if (ending) step.effects.push(endChild(child));
  return true;
}

/** Its own for each attempt: the execution of a failed one stays as it is. */
function childId(step: Step, at: At): string {
  const { attempt } = step.row(at);
  const { id } = step.node(at);
  const within = at.iteration === '' ? '' : `@${at.iteration}`;
  return `${step.head.execution}/${id}${within}${attempt > 1 ? `#${attempt}` : ''}`;
}
