import type { Millis } from '../../core/ids.ts';
import type { At, NodeStatus } from '../../events/events.ts';
import type { NodeRow } from './lifecycle.ts';
import { isTerminal, unpacked } from './row.ts';
import { FIGURES, figuresText } from './segment-figures.ts';
import { waitsForSession } from './session.ts';
import type { Step } from './step.ts';

/** Why a node is where it is, in words. */
export interface Explanation {
  readonly node: string;
  readonly iteration: string;
  readonly status: NodeStatus;
  /** One sentence, such as `approve has not run: it waits for pay, which is RUNNING for 12 s (attempt 2 of 5)`. */
  readonly text: string;
  /** What it waits for: nodes, timers, tokens, slots. */
  readonly waitsFor: readonly { readonly kind: string; readonly what: string; readonly until: Millis | null }[];
}

type Reason = Explanation['waitsFor'][number];
/** Of the session that the execution waits for. */
type Holder = { readonly execution: string; readonly since: Millis };

/** Why a node is where it is, in words. */
export function explain(step: Step, id: string, iteration: string, holder?: Holder): Explanation {
  const at = { node: step.graph.number(id) ?? -1, iteration };
  if (at.node < 0) {
    return { node: id, iteration, status: 'PENDING', text: `there is no node ${id} in this workflow`, waitsFor: [] };
  }
  const row = step.row(at);
  const waitsFor = isTerminal(row.status) ? [] : reasonsOf(step, at, row, holder);
  return { node: id, iteration, status: row.status, text: textOf(step, at, row, waitsFor), waitsFor };
}

function textOf(step: Step, at: At, row: NodeRow, waitsFor: readonly Reason[]): string {
  const { id, retry, standIn } = step.node(at);
  const through = standIn < 0 ? [] : passed(step, { ...at, node: standIn }, id);
  const where = at.iteration === '' ? id : `${id} (iteration ${at.iteration})`;
  const why = row.cause === null ? '' : ` (${row.cause})`;
  const failure = row.error ?? failureWithin(step, at, standIn);
  const error = failure === null ? '' : `: ${failure.code}, ${failure.message}`;
  if (isTerminal(row.status)) {
    const tries = row.failures > 0 ? `, after ${row.failures} failed attempts` : '';
    return [`${where} is ${row.status}${why} for ${span(step.at - row.since)}${tries}${error}`, ...through].join(': ');
  }
  if (standIn >= 0 && row.status === 'RUNNING') {
    const segment = step.graph.nodes[standIn]!.id;
    return [`${where} is RUNNING in the segment of ${segment} for ${span(step.at - row.since)}`, ...through].join(': ');
  }
  const attempt = attemptOf(row, retry);
  const state = row.status === 'PENDING' ? (row.attempt > 0 ? 'does not run now' : 'has not run') : `is ${row.status}`;
  const reasons = waitsFor.map(({ what }) => what).join('; and ');
  return `${where} ${state}${attempt}${reasons === '' ? '' : `: it waits for ${reasons}`}${error}`;
}

/** Who is held has had all its attempts. */
function attemptOf(
  { attempt, failures, wait }: NodeRow,
  { maxAttempts }: Step['graph']['nodes'][number]['retry'],
): string {
  if (attempt === 0) return '';
  return wait?.on === 'intervention'
    ? ` (after ${failures} failed ${failures === 1 ? 'attempt' : 'attempts'})`
    : ` (attempt ${failures + 1} of ${maxAttempts})`;
}

/** What the segment of an inner node has failed with, where it was in that node. */
function failureWithin(step: Step, { node, iteration }: At, standIn: number): NodeRow['error'] {
  if (standIn < 0) return null;
  const { error } = step.row({ node: standIn, iteration });
  return error?.instance === `/nodes/${node}` ? error : null;
}

/** How much has gone through a node of a segment, where that was told. */
function passed(step: Step, segment: At, id: string): readonly string[] {
  const text = figuresText(step.output(segment, FIGURES) ?? null, id);
  return text === '' ? [] : [text];
}

function reasonsOf(step: Step, at: At, row: NodeRow, holder: Holder | undefined): readonly Reason[] {
  const { phase } = step.header;
  const found: Reason[] = [];
  if (phase === 'paused') found.push({ kind: 'pause', what: 'the execution, which is paused', until: null });
  if (waitsForSession(step.header)) return [...found, sessionReason(step, holder)];
  if (row.wait !== null) found.push(waitReason(step, row));
  for (const { timer, due } of row.timers) {
    if (timer !== 'retry' && timer !== 'delay') continue;
    found.push({ kind: 'timer', what: `the timer ${timer}, in ${span(due - step.at)}`, until: due });
  }
  if (row.status === 'QUEUED') {
    found.push({ kind: 'slot', what: `a free slot, for ${span(step.at - row.since)}`, until: null });
  } else if (row.status === 'RUNNING') found.push(...runningReasons(step, at, row));
  else if (row.attempt === 0) found.push(...edgeReasons(step, at, row));
  return found;
}

function sessionReason(step: Step, holder: Holder | undefined): Reason {
  const { name, id } = step.header.session!;
  const held = holder === undefined ? '' : `, which ${holder.execution} holds for ${span(step.at - holder.since)}`;
  return { kind: 'session', what: `the session ${name} of ${JSON.stringify(id)}${held}`, until: null };
}

function waitReason(step: Step, { wait, since }: NodeRow): Reason {
  const { on, token } = wait!;
  if (on === 'segment') {
    return { kind: on, what: `the segment of ${token}, which runs for ${span(step.at - since)}`, until: null };
  }
  const what = { signal: `the signal ${token}`, approval: 'an approval', child: `the execution ${token}` }[on];
  return { kind: on, what: what ?? (on === 'intervention' ? 'an intervention' : on), until: null };
}

function runningReasons(step: Step, at: At, row: NodeRow): readonly Reason[] {
  const { kind } = step.node(at).type.behaviour;
  if (kind === 'task' || kind === 'operator') {
    const run = row.timers.find(({ timer }) => timer === 'run');
    const isSegment = kind === 'operator';
    const apart = row.lost > 0 ? `, called apart from others since it lost ${counted(row.lost, 'process')}` : '';
    const runs = `its ${isSegment ? 'segment' : 'task'}, which runs for ${span(step.at - row.since)}${apart}`;
    const told = isSegment ? passed(step, at, step.node(at).id) : [];
    return [{ kind: isSegment ? 'segment' : 'task', what: [runs, ...told].join(': '), until: run?.due ?? null }];
  }
  const { iterations } = row;
  if (iterations === null) return [];
  const of = iterations.count > 0 ? ` of ${iterations.count}` : '';
  const what = `${iterations.open.length} open iterations (${iterations.ended}${of} have ended)`;
  return [{ kind: 'iterations', what, until: null }];
}

/** What lies before it and has not told its outcome. */
function edgeReasons(step: Step, at: At, row: NodeRow): readonly Reason[] {
  const found: Reason[] = [];
  const seen = new Set<number>();
  for (const number of step.node(at).incoming) {
    const { source } = step.graph.edges[number]!;
    if (row.told.includes(number) || seen.has(source)) continue;
    seen.add(source);
    const before = step.row({ node: source, iteration: at.iteration });
    const { id, retry } = step.graph.nodes[source]!;
    const since = before.since > 0 ? ` for ${span(step.at - before.since)}` : '';
    const waits = before.wait === null ? '' : `, waiting for ${waitReason(step, before).what}`;
    const what = `${id}, which is ${before.status}${since}${attemptOf(before, retry)}${waits}`;
    found.push({ kind: 'node', what, until: null });
  }
  if (found.length > 0) return found;
  const isDeferred = unpacked(step.header.deferred).some(
    (each) => each.node === at.node && each.iteration === at.iteration,
  );
  if (isDeferred) return [{ kind: 'step', what: 'the next step, being ready', until: null }];
  const { parent } = step.node(at);
  if (parent < 0 || at.iteration !== '') return [];
  return [{ kind: 'node', what: `${step.graph.nodes[parent]!.id}, within which it lies`, until: null }];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 'es'}`;
}

function span(ms: Millis): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 120) return `${Math.round(s)} s`;
  return s < 7200
    ? `${Math.round(s / 60)} min`
    : s < 172_800
      ? `${Math.round(s / 3600)} h`
      : `${Math.round(s / 86_400)} d`;
}
