import type { At, FailureInfo, StepEvent } from '../../events/events.ts';
import type { Graph } from '../graph.ts';
import { begin, dropIteration, end, fail, type IterationEvent } from './evolve-iterations.ts';
import { factsOf } from './facts.ts';
import type { Header, Iterations, NodeKey, NodeRow, Rows, RowTimer, StepHead } from './lifecycle.ts';
import { MAX_REMEMBERED } from './limits.ts';
import { isLoss } from './quarantine.ts';
import { isTerminal, keyOf, outside, PENDING_ROW } from './row.ts';
import { change, NO_COUNTS, NO_ITERATIONS, NO_PAST } from './row-changes.ts';
import { FIGURES } from './segment-figures.ts';
import { useSession } from './use-session.ts';

type Of<Type extends StepEvent['type']> = Extract<StepEvent, { readonly type: Type }>;

/** Commands that no attempt and no number fences: their ids are kept. */
export const REMEMBERED: ReadonlySet<string> = new Set([
  'signal',
  'cancel',
  'end',
  'savepoint',
  'pause',
  'resume',
  'retry-from',
  'intervene',
  'patch',
]);

/** Of what begins again by hand: whoever runs it forgets what was before, and nothing that was kept is taken up. */
const ANEW = { number: 0, value: null };

/** What a node has put out in the execution that this one goes on from. */
export const CARRIED = '#carried';

/** The one place where rows change. See {@link Lifecycle.evolve}. */
export function evolve(rows: Rows, graph: Graph, record: StepHead, event: StepEvent): void {
  if (event.type === 'started') {
    rows.putHeader(headerOf(graph, record, event));
    if (event.selected !== null) rows.putSelection(event.selected);
    if (event.pins !== null) rows.putPins(event.pins);
    for (const [id, ports] of Object.entries(event.outputs ?? {})) {
      const number = graph.number(id);
      if (number !== undefined) rows.putOutput(keyOf(number, ''), CARRIED, ports);
    }
    return;
  }
  touch(rows, record, event);
  switch (event.type) {
    case 'node':
      moved(rows, graph, record, event);
      return;
    case 'output':
      rows.putOutput(keyOf(event.node, event.iteration), event.port, event.value);
      return;
    case 'delivered':
      delivered(rows, graph, event);
      return;
    case 'attempt-failed':
      change(rows, event, (row) => ({ ...row, error: event.error, ...failuresOf(row, event.error) }));
      return;
    case 'waiting': {
      if (event.on === 'signal') listen(rows, keyOf(event.node, event.iteration), true);
      change(rows, event, (row) => ({ ...row, wait: { on: event.on, token: event.token } }));
      return;
    }
    case 'wait-ended':
      listen(rows, keyOf(event.node, event.iteration), false);
      change(rows, event, (row) => ({ ...row, wait: null }));
      return;
    case 'timer-set':
    case 'timer-cleared':
      timed(rows, event);
      return;
    case 'iterations':
      if (event.items !== null) rows.putOutput(keyOf(event.node, event.iteration), '#items', event.items);
      change(rows, event, (row) => ({
        ...row,
        iterations: { ...NO_ITERATIONS, count: event.count, atOnce: event.atOnce },
      }));
      return;
    case 'iteration':
      iterated(rows, graph, event);
      return;
    case 'progress':
      if (graph.nodes[event.node]!.type.behaviour.kind !== 'operator') return;
      rows.putOutput(keyOf(event.node, event.iteration), FIGURES, event.value);
      return;
    case 'checkpoint':
      change(rows, event, (row) => ({ ...row, lost: 0, checkpoint: { number: event.number, value: event.value } }));
      return;
    case 'signal-stored':
      rows.putSignal({ name: event.name, id: event.id, payload: event.payload });
      remember(rows, signalName(event.name, event.id));
      return;
    case 'signal-taken':
      rows.takeSignal(event.name, event.id);
      remember(rows, signalName(event.name, event.id));
      return;
    case 'intervened':
      if (event.action !== 'retry' || (event.value === null && event.given !== true)) return;
      rows.putOutput(keyOf(event.node, event.iteration), '#in', event.value);
      return;
    case 'session-asked':
    case 'session-held':
    case 'session-written':
      useSession(rows, record, event);
      return;
    default:
      changedWhole(rows, graph, event);
      return;
  }
}

/** What befalls the execution as a whole. */
function changedWhole(rows: Rows, graph: Graph, event: StepEvent): void {
  const header = rows.header()!;
  switch (event.type) {
    case 'deferred':
      rows.putHeader({ ...header, deferred: event.nodes });
      return;
    case 'paused':
      rows.putHeader({ ...header, phase: 'paused' });
      return;
    case 'resumed':
      rows.putHeader({ ...header, phase: 'running' });
      return;
    case 'cancelling':
      rows.putHeader({ ...header, phase: 'cancelling' });
      return;
    case 'ending':
      rows.putHeader({ ...header, ending: true });
      return;
    case 'savepoint':
      rows.putHeader({ ...header, phase: 'cancelling', savepoint: { next: event.next } });
      return;
    case 'compensating':
      rows.putHeader({ ...header, phase: 'compensating', error: event.error });
      return;
    case 'dead-letter':
      rows.putHeader({ ...header, degraded: true });
      return;
    case 'ended':
      rows.putHeader({ ...header, phase: 'ended', status: event.status, error: event.error });
      return;
    case 'patched':
      patched(rows, graph, event);
      return;
  }
}

function headerOf(graph: Graph, record: StepHead, event: Of<'started'>): Header {
  const { parent } = event;
  return {
    execution: record.execution,
    workflow: event.workflow,
    version: event.version,
    definition: record.definition,
    revision: record.revision,
    seq: record.seq,
    status: 'RUNNING',
    phase: 'running',
    mode: event.mode,
    input: event.input,
    user: event.user,
    priority: event.priority,
    startedAt: record.at,
    deadline: event.deadline,
    labels: event.labels,
    parent: parent === null ? null : { execution: parent.execution, ...placeOf(parent.at) },
    isPartial: event.selected !== null,
    hasPins: event.pins !== null,
    counts: { ...NO_COUNTS, PENDING: factsOf(graph).top.length },
    past: NO_PAST,
    degraded: false,
    ending: false,
    savepoint: null,
    continues: event.continues ?? null,
    error: null,
    compensable: [],
    lastCommands: [],
    listening: [],
    deferred: [],
    timers: [],
    session: null,
  };
}

/** Takes up the number of the step, and the id of its command. */
function touch(rows: Rows, record: StepHead, event: StepEvent): void {
  const header = rows.header()!;
  if (header.seq === record.seq) return;
  const { cause } = record;
  const isKept = event.type !== 'rejected' && cause.kind === 'command' && REMEMBERED.has(cause.type);
  const lastCommands = isKept ? [...header.lastCommands.slice(1 - MAX_REMEMBERED), cause.id] : header.lastCommands;
  rows.putHeader({ ...header, seq: record.seq, lastCommands });
}

function moved(rows: Rows, graph: Graph, record: StepHead, event: Of<'node'>): void {
  const { from, to, cause } = event;
  const node = graph.nodes[event.node]!;
  const key = keyOf(event.node, event.iteration);
  const row = rows.node(key) ?? PENDING_ROW;
  const isAgain = cause === 'redriven';
  if (isAgain) {
    forget(rows, graph, event);
    const { kind } = node.type.behaviour;
    const checkpoint = kind === 'operator' || kind === 'child' ? ANEW : null;
    rows.putNode(key, { ...PENDING_ROW, attempt: row.attempt, cause, since: record.at, checkpoint });
  } else {
    rows.putNode(key, {
      ...row,
      status: to,
      cause,
      attempt: event.attempt,
      since: record.at,
      wait: null,
      error: to === 'COMPLETED' ? null : row.error,
      lost: isTerminal(to) ? 0 : row.lost,
    });
  }
  const header = rows.header()!;
  const counts = { ...header.counts };
  if (from !== null) counts[from]--;
  counts[to]++;
  const isUndoing = from === null && cause === 'compensation';
  let { compensable } = header;
  if (isUndoing) compensable = compensable.slice(0, -1);
  else if (to === 'COMPLETED' && node.compensation >= 0) compensable = [...compensable, key];
  else if (isAgain && node.compensation >= 0) compensable = compensable.filter((each) => each !== key);
  const listening = row.wait?.on === 'signal' ? header.listening.filter((each) => each !== key) : header.listening;
  const degraded = header.degraded || cause === 'optional-failed';
  rows.putHeader({ ...header, counts, compensable, listening, degraded });
  if (node.parent < 0 || from === null || factsOf(graph).undoes.has(node.number)) return;
  const change = (isTerminal(from) ? 1 : 0) - (isTerminal(to) ? 1 : 0);
  if (change !== 0) left(rows, node.parent, event.iteration, change);
}

/** One node more or less of an iteration is not terminal. */
function left(rows: Rows, container: number, iteration: string, by: number): void {
  const at = outside(iteration);
  change(rows, { node: container, iteration: at.iteration }, (row) => {
    const { iterations } = row;
    if (iterations === null) return row;
    const open = iterations.open.map((each) => (each.index === at.index ? { ...each, left: each.left + by } : each));
    return { ...row, iterations: { ...iterations, open } };
  });
}

function delivered(rows: Rows, graph: Graph, event: Of<'delivered'>): void {
  for (const edge of event.taken) tell(rows, graph, event.iteration, edge, true);
  for (const edge of event.skipped) tell(rows, graph, event.iteration, edge, false);
}

function tell(rows: Rows, graph: Graph, iteration: string, edge: number, isTaken: boolean): void {
  const key = keyOf(graph.edges[edge]!.target, iteration);
  const row = rows.node(key) ?? PENDING_ROW;
  if (row.told.includes(edge)) return;
  rows.putNode(key, {
    ...row,
    told: [...row.told, edge],
    taken: isTaken ? [...row.taken, edge] : row.taken,
  });
}

function timed(rows: Rows, event: Of<'timer-set' | 'timer-cleared'>): void {
  const { timer, due, attempt } = event;
  const isSet = event.type === 'timer-set';
  const next = (timers: readonly RowTimer[]) =>
    isSet ? [...timers, { timer, due, attempt }] : timers.filter((each) => each.timer !== timer || each.due !== due);
  if (event.node >= 0) {
    change(rows, event, (row) => ({ ...row, timers: next(row.timers) }));
    return;
  }
  const header = rows.header()!;
  rows.putHeader({ ...header, timers: next(header.timers) });
}

function iterated(rows: Rows, graph: Graph, event: IterationEvent): void {
  switch (event.to) {
    case 'begun':
      begin(rows, graph, event);
      return;
    case 'failing':
      fail(rows, event);
      return;
    case 'failed':
    case 'ended':
      end(rows, graph, event);
      return;
    case 'closing':
      change(rows, event, (row) => ({
        ...row,
        iterations: { ...(row.iterations ?? NO_ITERATIONS), closing: event.value as Iterations['closing'] },
      }));
      return;
  }
}

/** What a node that begins again has left behind, within it too. */
function forget(rows: Rows, graph: Graph, at: At): void {
  const key = keyOf(at.node, at.iteration);
  const count = rows.node(key)?.iterations?.next ?? 0;
  rows.dropNode(key);
  for (let index = 0; index < count; index++) dropIteration(rows, graph, at, index, true);
}

function patched(rows: Rows, graph: Graph, event: Of<'patched'>): void {
  const header = rows.header()!;
  const counts = { ...header.counts, PENDING: header.counts.PENDING + event.added.length };
  rows.putHeader({ ...header, counts, revision: event.revision });
  for (const edge of event.removedEdges) {
    const key = keyOf(graph.edges[edge]!.target, '');
    const row = rows.node(key);
    if (row === undefined) continue;
    const without = (edges: readonly number[]) => edges.filter((each) => each !== edge);
    rows.putNode(key, { ...row, told: without(row.told), taken: without(row.taken) });
  }
}

function listen(rows: Rows, key: NodeKey, on: boolean): void {
  const header = rows.header()!;
  if (!on && !header.listening.includes(key)) return;
  const others = header.listening.filter((each) => each !== key);
  rows.putHeader({ ...header, listening: on ? [...others, key] : others });
}

function remember(rows: Rows, id: string): void {
  const header = rows.header()!;
  if (header.lastCommands.includes(id)) return;
  rows.putHeader({ ...header, lastCommands: [...header.lastCommands.slice(1 - MAX_REMEMBERED), id] });
}

export function signalName(name: string, id: string): string {
  return `signal ${name} ${id}`;
}

function failuresOf(row: NodeRow, error: FailureInfo): Pick<NodeRow, 'failures' | 'system' | 'lost'> {
  const { failures, system, lost } = row;
  if (isLoss(error)) return { failures, system, lost: lost + 1 };
  const isSystem = error.class === 'SYSTEM';
  return { failures: failures + (isSystem ? 0 : 1), system: system + (isSystem ? 1 : 0), lost: 0 };
}

function placeOf({ node, iteration }: At): At {
  return { node, iteration };
}
