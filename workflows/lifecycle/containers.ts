import type { Json } from '../../core/ids.ts';
import type { At, FailureInfo } from '../../events/events.ts';
import { howOf } from '../container-parts.ts';
import type { GraphNode } from '../graph.ts';
import type { LoopConfig, MapConfig } from '../nodes/configs.ts';
import { failAttempt, finish } from './attempt.ts';
import { closeContainer } from './close.ts';
import { partOf } from './facts.ts';
import { configOf, inputsOf, lastOf, resultOf, scopeOf } from './inputs.ts';
import type { Iterations } from './lifecycle.ts';
import { MAX_IN_FLIGHT, MAX_STEP_BYTES } from './limits.ts';
import { inside } from './row.ts';
import { sized } from './sized.ts';
import type { Step } from './step.ts';

/** A container begins: how often its children run is decided, as far as that is known. */
export function openContainer(step: Step, at: At, node: GraphNode): void {
  const { node: number, iteration } = at;
  const how = howOf(node.type);
  if (how === 'map') {
    const { items, concurrency } = configOf(step, at, node, inputsOf(step, at, node)) as unknown as MapConfig;
    if (!Array.isArray(items)) throw new Error(`${node.id} maps over \`items\`, which is no list`);
    const error = tooLarge(items, node);
    if (error !== undefined) {
      failAttempt(step, at, error);
      return;
    }
    const atOnce = Math.min(MAX_IN_FLIGHT, Math.max(1, Math.floor(concurrency ?? MAX_IN_FLIGHT)));
    step.emit({ type: 'iterations', node: number, iteration, count: items.length, items, atOnce });
  } else {
    step.emit({ type: 'iterations', node: number, iteration, count: how === 'try' ? 3 : 0, items: null, atOnce: 1 });
  }
  goOn(step, at, node);
}

/** A list of what an expression makes is bounded by nothing else, and stands in the record of a step. */
function tooLarge(items: readonly Json[], { id, number }: GraphNode): FailureInfo | undefined {
  const instance = `/nodes/${number}`;
  let all = 0;
  for (const [index, item] of items.entries()) {
    const { bytes, error } = sized(item, `item ${index} of ${id}`, 'give a reference', instance);
    if (error !== undefined) return error;
    all += bytes;
  }
  if (all <= MAX_STEP_BYTES) return undefined;
  const message = `the ${items.length} items of ${id} have ${all} bytes, more than ${MAX_STEP_BYTES}: make records of them, and start a workflow for each by op.workflow`;
  return { class: 'PERMANENT', code: 'workflow.value-too-large', message, instance };
}

/** Ends iterations of which nothing is left, and begins what is next. */
export function goOn(step: Step, at: At, node: GraphNode): void {
  for (const { index, left } of step.row(at).iterations!.open) if (left === 0) endIteration(step, at, node, index);
  const iterations = step.row(at).iterations!;
  if (iterations.closing !== null) {
    closeOn(step, at, node, iterations);
    return;
  }
  switch (howOf(node.type)) {
    case 'map':
      mapOn(step, at, node);
      return;
    case 'loop':
      if (iterations.open.length === 0) loopOn(step, at, node, iterations);
      return;
    case 'try':
      if (iterations.open.length === 0) tryOn(step, at, node, iterations);
      return;
  }
}

function endIteration(step: Step, at: At, node: GraphNode, index: number): void {
  const iterations = step.row(at).iterations!;
  let { failed } = iterations.open.find((each) => each.index === index)!;
  const isQuiet = failed || iterations.closing !== null;
  let value = isQuiet ? null : resultOf(step, at, index, partOf(step.facts, node, index).leaves);
  if (!isQuiet && howOf(node.type) === 'map') {
    const { error } = sized(
      value,
      `the result of item ${index} of ${node.id}`,
      'give a reference',
      `/nodes/${at.node}`,
    );
    if (error !== undefined) {
      const told = { ...error, node: node.id } as unknown as Json;
      step.emit({ type: 'iteration', node: at.node, iteration: at.iteration, index, to: 'failing', value: told });
      failed = true;
      value = null;
    }
  }
  const to = failed ? 'failed' : 'ended';
  step.emit({ type: 'iteration', node: at.node, iteration: at.iteration, index, to, value });
  if (failed && howOf(node.type) !== 'try' && itemPolicy(node) === 'fail')
    closeContainer(step, at, 'failed', 'at-once');
}

function itemPolicy(node: GraphNode): 'fail' | 'null' | 'omit' {
  if (howOf(node.type) !== 'map') return 'fail';
  const policy = (node.config as { readonly onItemFailure?: Json } | null)?.onItemFailure;
  return policy === 'null' || policy === 'omit' ? policy : 'fail';
}

function beginIteration(step: Step, at: At, node: GraphNode, index: number): void {
  step.emit({ type: 'iteration', node: at.node, iteration: at.iteration, index, to: 'begun', value: null });
  step.budget--;
  const { nodes, entries } = partOf(step.facts, node, index);
  const iteration = inside(at.iteration, index);
  for (const entry of entries) step.work.push({ node: entry, iteration });
  if (nodes.length === 0) step.work.push(at);
}

function mapOn(step: Step, at: At, node: GraphNode): void {
  for (;;) {
    const { next, count, open, atOnce } = step.row(at).iterations!;
    if (next >= count || open.length >= atOnce) break;
    if (mustWait(step, at)) return;
    beginIteration(step, at, node, next);
  }
  const { ended, count, failed } = step.row(at).iterations!;
  if (ended < count) return;
  const results: Json[] = [];
  const isOmitting = failed > 0 && itemPolicy(node) === 'omit';
  for (let index = 0; index < count; index++) {
    const result = step.output(at, `#${index}`);
    if (result !== undefined || !isOmitting) results.push(result ?? null);
  }
  finish(step, at, { out: results });
}

/** Nothing new begins while paused, and no more in a step than it may. */
function mustWait(step: Step, at: At): boolean {
  const isPaused = step.header.phase === 'paused';
  if (!isPaused && step.budget > 0) return false;
  (isPaused ? step.held : step.work).push(at);
  return true;
}

function loopOn(step: Step, at: At, node: GraphNode, { next }: Iterations): void {
  if (mustWait(step, at)) return;
  const last = lastOf(step, at, next);
  const inputs = inputsOf(step, at, node);
  const scope = { ...scopeOf(step, at, node, inputs), last, iteration: next };
  const config = node.template.fill(scope) as unknown as LoopConfig;
  if (config.while === false) {
    finish(step, at, { out: last });
    return;
  }
  if (next < config.max) {
    beginIteration(step, at, node, next);
    return;
  }
  const message = `${node.id} has run ${next} times and \`while\` still holds: raise \`max\`, or see why it does not end`;
  failAttempt(step, at, { class: 'PERMANENT', code: 'workflow.loop-limit', message, instance: `/nodes/${at.node}` });
}

const BODY = 0;
const CATCH = 1;
const FINALLY = 2;

function tryOn(step: Step, at: At, node: GraphNode, { next }: Iterations): void {
  const has = (part: number) => partOf(step.facts, node, part).nodes.length > 0;
  if (next === BODY) {
    beginIteration(step, at, node, BODY);
    return;
  }
  const body = step.output(at, '#0');
  if (body === undefined && next === CATCH && has(CATCH)) {
    beginIteration(step, at, node, CATCH);
    return;
  }
  if (next <= FINALLY && has(FINALLY)) {
    beginIteration(step, at, node, FINALLY);
    return;
  }
  const result = body === undefined ? step.output(at, '#1') : body;
  const isClean = !has(FINALLY) || step.output(at, '#2') !== undefined;
  if (result !== undefined && isClean) {
    finish(step, at, { out: result });
    return;
  }
  failAttempt(step, at, errorWithin(step, at));
}

/** It ends when nothing of it is open; of a `try` that has begun, the `finally` comes first. */
function closeOn(step: Step, at: At, node: GraphNode, { open, closing, next }: Iterations): void {
  if (open.length > 0) return;
  const isTry = howOf(node.type) === 'try';
  if (isTry && next > BODY && next <= FINALLY && partOf(step.facts, node, FINALLY).nodes.length > 0) {
    beginIteration(step, at, node, FINALLY);
    return;
  }
  if (closing === 'failed') {
    failAttempt(step, at, errorWithin(step, at));
    return;
  }
  step.clearTimers(at);
  step.move(at, 'CANCELLED', closing!);
}

function errorWithin(step: Step, at: At): FailureInfo {
  const { node: _, ...error } = step.output(at, '#error') as unknown as FailureInfo & { readonly node: string };
  return error;
}
