import assert from 'node:assert/strict';
import type { NodeStatus, StepEvent, StepRecord } from '../../../events/events.ts';
import type { Graph, GraphNode } from '../../graph.ts';
import { REMEMBERED } from '../evolve.ts';
import { factsOf, partOf } from '../facts.ts';
import { isLegal, keyOf, MAX_SYSTEM_FAILURES, type MemoryRows } from '../lifecycle.ts';
import { inside, isTerminal, partsOf } from '../row.ts';
import { NO_COUNTS } from '../row-changes.ts';
import type { World } from './world.ts';

type NodeEvent = Extract<StepEvent, { readonly type: 'node' }>;

interface Tracked {
  status: NodeStatus;
  attempt: number;
  told: Set<number>;
  taken: Set<number>;
  /** Edges that it told in its last end. */
  delivered: Set<number>;
  failures: number;
  system: number;
  outputs: Set<string>;
  cause: string;
}

/** Holds what was logged against the rules, by a reading of its own: nothing here is code of the engine but names. */
export class LogChecker {
  readonly #graph: Graph;
  readonly #nodes = new Map<string, Tracked>();
  readonly #causes = new Set<string>();
  readonly #timers = new Map<string, number>();
  #seq = 0;
  #ended = 0;
  #phase: 'running' | 'cancelling' | 'compensating' = 'running';
  #selected: readonly number[] | null = null;
  #byHand = false;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  check(records: readonly StepRecord[]): void {
    for (const record of records) this.#step(record);
  }

  #step(record: StepRecord): void {
    assert.equal(record.seq, this.#seq + 1, '2: a gap in the numbers of steps');
    this.#seq = record.seq;
    const isRefused = record.events[0]?.type === 'rejected';
    if (isRefused) assert.equal(record.events.length, 1, '9: a command that is rejected has no effect');
    if (!isRefused) this.#cause(record);
    for (const event of record.events) {
      if (this.#ended > 0) assert.equal(event.type, 'rejected', '1: something happens behind the end');
      this.#event(event, record);
    }
    this.#segments();
  }

  /** Behind every step: what runs within a segment does while that runs, in its attempt, and nothing waits meanwhile. */
  #segments(): void {
    for (const [key, { status, attempt }] of this.#nodes) {
      const [number, iteration = ''] = key.split('@');
      const { standIn, id } = this.#graph.nodes[Number(number)]!;
      if (standIn < 0) continue;
      const segment = this.#of({ node: standIn, iteration });
      const isRunning = segment.status === 'RUNNING';
      if (status === 'PENDING') assert.ok(!isRunning, `7: ${id} (${key}) is PENDING while its segment runs`);
      if (status !== 'RUNNING') continue;
      // what is told to a node that has ended may be gone on with in the next step
      const isTold = this.#of({ node: Number(number), iteration }).told.size > 0;
      assert.ok(isRunning || isTold, `7: ${id} (${key}) is RUNNING, and its segment ${segment.status}`);
      if (isRunning)
        assert.equal(attempt, segment.attempt, `6: ${id} (${key}) runs in another attempt than its segment`);
    }
  }

  #cause({ cause, events }: StepRecord): void {
    assert.ok(cause.kind === 'command' || cause.kind === 'timer' || cause.kind === 'continue', '2: no cause');
    if (cause.kind === 'command') {
      if (!REMEMBERED.has(cause.type) && cause.type !== 'start') return;
      assert.ok(!this.#causes.has(cause.id), `2: the command ${cause.id} is applied twice`);
      this.#causes.add(cause.id);
    } else if (cause.kind === 'timer') {
      const [first] = events;
      assert.ok(first?.type === 'timer-cleared', '11: a timer that fires is cleared');
    }
  }

  #event(event: StepEvent, record: StepRecord): void {
    switch (event.type) {
      case 'started':
        this.#selected = event.selected;
        return;
      case 'node':
        this.#moved(event);
        return;
      case 'output':
        this.#of(event).outputs.add(event.port);
        return;
      case 'delivered':
        this.#delivered(event);
        return;
      case 'attempt-failed':
        this.#failed(event);
        return;
      case 'timer-set': {
        const name = `${event.timer} ${keyOf(event.node, event.iteration)} ${event.due}`;
        assert.ok(!this.#timers.has(name), `11: ${name} is set twice`);
        this.#timers.set(name, event.due);
        return;
      }
      case 'timer-cleared': {
        const name = `${event.timer} ${keyOf(event.node, event.iteration)} ${event.due}`;
        assert.ok(this.#timers.delete(name), `11: ${name} fires, or is cleared, twice`);
        const isFiring = record.cause.kind === 'timer' && record.events[0] === event;
        if (isFiring) assert.ok(record.at >= event.due, `11: ${name} fires too early`);
        return;
      }
      case 'intervened':
      case 'redriven':
        this.#byHand = true;
        return;
      case 'cancelling':
      case 'compensating':
        this.#phase = event.type;
        return;
      case 'savepoint':
        this.#phase = 'cancelling';
        return;
      case 'iteration':
        if (event.to === 'begun') this.#forget(event);
        return;
      case 'ended':
        this.#ended++;
        assert.equal(this.#ended, 1, '1: it ends twice');
        this.#closed();
        return;
      default:
    }
  }

  /** Rounds of a loop begin anew where a node was begun again. */
  #forget(event: Extract<StepEvent, { readonly type: 'iteration' }>): void {
    const within = event.iteration === '' ? `${event.index}` : `${event.iteration}.${event.index}`;
    for (const child of this.#graph.nodes[event.node]!.children) this.#dropAll(child, within);
  }

  /** A node, and what lies within it, however deep. */
  #dropAll(node: number, iteration: string): void {
    this.#nodes.delete(keyOf(node, iteration));
    const within = (child: number): boolean => {
      const { parent } = this.#graph.nodes[child]!;
      return parent === node || (parent >= 0 && within(parent));
    };
    for (const key of [...this.#nodes.keys()]) {
      const [child, below = ''] = key.split('@');
      if (within(Number(child)) && (iteration === '' || below.startsWith(`${iteration}.`))) this.#nodes.delete(key);
    }
  }

  #of({ node, iteration }: { readonly node: number; readonly iteration: string }): Tracked {
    const key = keyOf(node, iteration);
    let tracked = this.#nodes.get(key);
    if (tracked === undefined) {
      const none = { told: new Set<number>(), taken: new Set<number>(), delivered: new Set<number>() };
      tracked = { status: 'PENDING', attempt: 0, ...none, failures: 0, system: 0, outputs: new Set(), cause: '' };
      this.#nodes.set(key, tracked);
    }
    return tracked;
  }

  #moved(event: NodeEvent): void {
    const node = this.#graph.nodes[event.node]!;
    const tracked = this.#of(event);
    const name = `${node.id}@${event.iteration} ${event.from} > ${event.to} (${event.cause})`;
    if (event.from !== null) assert.equal(event.from, tracked.status, `1: ${name}: it was not ${event.from}`);
    assert.ok(isLegal(event.from, event.to, event.cause), `1: ${name} is not legal`);
    if (isTerminal(tracked.status)) assert.equal(event.cause, 'redriven', `1: ${name}: it has ended before`);
    assert.ok(event.attempt >= tracked.attempt, `6: ${name}: attempt ${event.attempt} has been`);
    if (event.cause === 'redriven') {
      this.#dropAll(event.node, event.iteration);
      Object.assign(this.#of(event), { attempt: event.attempt });
      return;
    }
    const begins = event.attempt > tracked.attempt;
    if (begins) this.#begins(node, event, tracked, name);
    if (event.to === 'COMPLETED') assert.ok(tracked.outputs.size > 0, `3: ${name}: nothing was put out`);
    tracked.status = event.to;
    tracked.attempt = event.attempt;
    tracked.cause = event.cause;
    tracked.delivered.clear();
  }

  /** 3: its join holds over what was told, and what it needs has been put out. */
  #begins(node: GraphNode, event: NodeEvent, tracked: Tracked, name: string): void {
    assert.ok(!node.disabled, `3: ${name}: it is disabled`);
    if (this.#phase !== 'running') {
      assert.ok(this.#cleansUp(node), `8: ${name}: it runs though the execution is ${this.#phase}`);
    }
    if (node.parent < 0 && this.#selected !== null && event.cause !== 'pinned') {
      assert.ok(this.#selected.includes(node.number) || this.#isUndoing(node), `3: ${name}: it is not selected`);
    }
    if (node.standIn >= 0) {
      const segment = this.#of({ node: node.standIn, iteration: event.iteration });
      assert.equal(segment.status, 'RUNNING', `3: ${name}: its segment is ${segment.status}`);
      return;
    }
    const { told, taken } = tracked;
    const all = node.incoming.length;
    const isTold = told.size === all;
    const { join } = node;
    const holds =
      all === 0 ||
      (join.policy === 'all' && isTold && taken.size > 0) ||
      (join.policy === 'any' && taken.size > 0) ||
      (join.policy === 'atLeast' && taken.size >= join.count) ||
      ((join.policy === 'all-done' || join.policy === 'when') && isTold);
    assert.ok(holds, `3: ${name}: its join ${join.policy} does not hold over ${[...told]}, taken ${[...taken]}`);
    for (const number of taken) {
      const edge = this.#graph.edges[number]!;
      const source = this.#of({ node: edge.source, iteration: event.iteration });
      const isPlain = edge.kind === 'data' && source.status === 'COMPLETED';
      if (isPlain) assert.ok(source.outputs.has(edge.sourcePort), `3: ${name}: ${edge.id} carries nothing`);
    }
  }

  #isUndoing(node: GraphNode): boolean {
    return this.#graph.nodes.some(({ compensation }) => compensation === node.number);
  }

  #cleansUp(node: GraphNode): boolean {
    if (this.#isUndoing(node)) return true;
    for (let inner = node; inner.parent >= 0; inner = this.#graph.nodes[inner.parent]!) {
      if (inner.role === 'finally') return true;
    }
    return false;
  }

  #delivered(event: Extract<StepEvent, { readonly type: 'delivered' }>): void {
    const source = this.#of(event);
    assert.ok(isTerminal(source.status), '7: only what has ended tells its edges');
    for (const [edges, isTaken] of [
      [event.taken, true],
      [event.skipped, false],
    ] as const) {
      for (const number of edges) {
        const edge = this.#graph.edges[number]!;
        assert.equal(edge.source, event.node, '7: an edge of another node');
        source.delivered.add(number);
        const target = this.#of({ node: edge.target, iteration: event.iteration });
        assert.ok(!target.told.has(number), `7: ${edge.id} is told twice`);
        target.told.add(number);
        if (isTaken) target.taken.add(number);
        const isError = isTaken && edge.kind === 'error' && source.cause !== 'not-selected';
        if (isError) assert.equal(source.status, 'FAILED', '7: an error edge without an error');
      }
    }
  }

  #failed(event: Extract<StepEvent, { readonly type: 'attempt-failed' }>): void {
    const { retry, id } = this.#graph.nodes[event.node]!;
    const tracked = this.#of(event);
    if (event.error.class === 'SYSTEM') {
      tracked.system++;
      assert.ok(
        tracked.system <= MAX_SYSTEM_FAILURES,
        `12: ${id} is tried again after too many failures of the system`,
      );
      return;
    }
    tracked.failures++;
    if (event.decision !== 'retry') return;
    assert.ok(retry.on.includes(event.error.class), `12: ${id} is tried again after a failure that is not for that`);
    assert.ok(tracked.failures < retry.maxAttempts, `12: ${id} is tried more often than its policy says`);
    assert.ok(event.retryAt !== null, '12: the time of the next attempt is not logged');
  }

  /** At the end: everything is terminal, has told its edges, and no timer is set. */
  #closed(): void {
    for (const [key, { status, delivered, cause }] of this.#nodes) {
      const node = this.#graph.nodes[Number(key.split('@')[0])]!;
      assert.ok(isTerminal(status), `1: ${node.id} (${key}) is ${status} at the end`);
      const isClosed = CLOSING.has(cause);
      const all = isClosed ? delivered.size : node.outgoing.length;
      assert.equal(delivered.size, all, `7: ${node.id} (${key}) has not told all of its edges`);
    }
    assert.deepEqual([...this.#timers.keys()], [], '11: timers are left');
    if (this.#byHand) return;
    const top = this.#graph.nodes.filter((node) => node.parent < 0 && !this.#isUndoing(node));
    for (const { number, id } of top) {
      assert.ok(this.#nodes.has(String(number)), `7: ${id} was never looked at`);
    }
  }
}

const CLOSING: ReadonlySet<string> = new Set(['upstream-failed', 'cancelled', 'deadline', 'superseded', 'savepoint']);

/** What the world has seen, beside the log. */
export function checkWorld(world: World): void {
  const running = new Map<string, number>();
  for (const { command, id, record, effects, at } of world.sent) {
    const isSilent = record === undefined;
    if (isSilent && command.type === 'report') assert.fail(`9: a report is answered by silence (${id}, at ${at})`);
    if (record !== undefined) assert.ok(record.events.length > 0, '9: an empty step');
    const hasEffect = record !== undefined && record.events[0]!.type !== 'rejected';
    if (hasEffect && command.type === 'report') {
      const runs = running.get(keyOf(command.node, command.iteration));
      assert.equal(command.attempt, runs, '6: a report of an attempt that does not run has an effect');
    }
    if (hasEffect && command.type === 'cancel' && command.node === null) {
      assert.ok(
        record.events.some(({ type }) => type === 'cancelling'),
        '10: a cancel is taken, and the execution goes on',
      );
    }
    for (const event of record?.events ?? []) {
      if (event.type !== 'node' || !isTask(world.graph.nodes[event.node]!)) continue;
      const key = keyOf(event.node, event.iteration);
      if (event.to === 'RUNNING') running.set(key, event.attempt);
      else running.delete(key);
    }
    for (const effect of effects) {
      if (effect.effect === 'run') {
        assert.ok(running.has(keyOf(effect.node, effect.iteration)), '8: a task is run that is not RUNNING');
      }
    }
  }
  assert.deepEqual([...running.keys()], [], '8: tasks are left running');
}

function isTask({ type }: GraphNode): boolean {
  return type.behaviour.kind === 'task' || type.behaviour.kind === 'operator';
}

/** Counters are what a recount gives; a node without a row is PENDING where it, or its iteration, may begin. */
export function checkCounts(rows: MemoryRows, graph: Graph): void {
  const counts = { ...NO_COUNTS };
  for (const [key, row] of rows.nodes) {
    counts[row.status]++;
    if (row.status !== 'RUNNING' || row.iterations === null) continue;
    const { node, iteration } = partsOf(key);
    for (const { index } of row.iterations.open) {
      const { nodes } = partOf(factsOf(graph), graph.nodes[node]!, index);
      counts.PENDING += nodes.filter((child) => rows.node(keyOf(child, inside(iteration, index))) === undefined).length;
    }
  }
  counts.PENDING += factsOf(graph).top.filter((node) => rows.node(String(node)) === undefined).length;
  assert.deepEqual(rows.header()!.counts, counts, 'S9.1.a: counters are not what a recount gives');
}

/** The end tells what the transitions sum to: how many have come to each state, less those that have left it. */
export function checkEndCounts(records: readonly StepRecord[]): void {
  const sums = { ...NO_COUNTS };
  for (const { events } of records) {
    for (const event of events) {
      if (event.type === 'node') {
        if (event.from !== null) sums[event.from]--;
        sums[event.to]++;
      }
      if (event.type !== 'ended') continue;
      // that everything is PENDING at first is told by nothing
      const { PENDING: _, ...told } = sums;
      assert.deepEqual({ QUEUED: 0, RUNNING: 0, ...event.counts }, told, 'S2.1.b4: counters of the end');
    }
  }
}
