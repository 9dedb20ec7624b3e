import type { Json, Millis } from '../../core/ids.ts';
import type { At, FailureInfo, NodeStatus, StepEvent, TimerKind, TransitionCause } from '../../events/events.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { evolve } from './evolve.ts';
import { type Facts, factsOf, partOf } from './facts.ts';
import type {
  Decided,
  Effect,
  Envelope,
  Header,
  LifecycleParts,
  NodeKey,
  NodeRow,
  Rows,
  StepHead,
} from './lifecycle.ts';
import { MAX_STEP_BYTES, MAX_STEP_NODES } from './limits.ts';
import { isTerminal, keyOf, outside, PENDING_ROW, packed } from './row.ts';
import { waitsForSession } from './session.ts';
import { cancelStarted } from './started.ts';

/** One step while it is decided: what has happened in it, what the world is asked for, what is still to be looked at. */
export class Step {
  readonly parts: LifecycleParts;
  readonly rows: Rows;
  readonly envelope: Envelope;
  readonly events: StepEvent[] = [];
  readonly effects: Effect[] = [];
  /** Nodes that may be ready, and containers to go on with. */
  readonly work: At[] = [];
  /** What a pause holds back. */
  readonly held: At[] = [];
  /** Nodes that this step may still begin or end. */
  budget = MAX_STEP_NODES;
  /** Of values that it has put out. */
  #bytes = 0;
  /** There is more to close than one step may. */
  unclosed = false;
  graph: Graph;
  facts: Facts;
  readonly head: { -readonly [Name in keyof StepHead]: StepHead[Name] };

  constructor(parts: LifecycleParts, rows: Rows, graph: Graph, execution: string, envelope: Envelope) {
    this.parts = parts;
    this.rows = rows;
    this.graph = graph;
    this.facts = factsOf(graph);
    this.envelope = envelope;
    // the definition stays that of the start, whatever patches make of the graph
    const { seq = 0, revision = graph.revision, definition = graph.hash } = rows.header() ?? {};
    const { at, cause } = envelope;
    this.head = { execution, seq: seq + 1, at, revision, definition, cause };
  }

  get at(): Millis {
    return this.envelope.at;
  }

  get header(): Header {
    return this.rows.header()!;
  }

  emit(event: StepEvent): void {
    const { tap } = this.parts;
    const told = tap === undefined ? event : tap(event, this.rows);
    if (told === undefined) return;
    this.events.push(told);
    evolve(this.rows, this.graph, this.head, told);
  }

  /** Counts a value; when there are enough, what is left goes on in a step of its own. */
  spend(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_STEP_BYTES) this.budget = 0;
  }

  key({ node, iteration }: At): NodeKey {
    return iteration === '' ? this.facts.nodes[node]!.key : keyOf(node, iteration);
  }

  row(at: At): NodeRow {
    return this.rows.node(this.key(at)) ?? PENDING_ROW;
  }

  node(at: At): GraphNode {
    return this.graph.nodes[at.node]!;
  }

  /** What was thrown for a node. */
  failure(at: At, thrown: unknown): FailureInfo {
    return this.parts.failure(thrown, `/nodes/${at.node}`);
  }

  /**
   * The number of the next attempt. Within a container it is above all that there were before the container began again,
   * for rows of then are gone, and messages may still come.
   */
  nextAttempt(at: At): number {
    const { attempt } = this.row(at);
    const { parent } = this.node(at);
    if (attempt > 0 || parent < 0) return attempt + 1;
    const around = this.row({ node: parent, iteration: outside(at.iteration).iteration });
    return (around.attempt - 1) * ATTEMPTS + 1;
  }

  /** Whether the iteration that a node belongs to is open. */
  isWithin({ node, iteration }: At): boolean {
    const { parent } = this.graph.nodes[node]!;
    if (parent < 0 || this.facts.undoes.has(node)) return true;
    const around = outside(iteration);
    const { status, iterations } = this.row({ node: parent, iteration: around.iteration });
    if (status !== 'RUNNING' || iterations === null) return false;
    if (!partOf(this.facts, this.graph.nodes[parent]!, around.index).nodes.includes(node)) return false;
    return iterations.open.some(({ index }) => index === around.index);
  }

  /** One transition. What the end of a node means for its container is looked at when the step goes on. */
  move(at: At, to: NodeStatus, cause: TransitionCause, attempt?: number): void {
    const row = this.row(at);
    const { node, iteration } = at;
    this.emit({ type: 'node', node, iteration, attempt: attempt ?? row.attempt, from: row.status, to, cause });
    if (!isTerminal(to)) return;
    if (cause !== 'savepoint') cancelStarted(this, at);
    this.lookAtContainer(at);
  }

  /** The container of a node goes on when nothing of the node's iteration is left. */
  lookAtContainer({ node, iteration }: At): void {
    const { parent } = this.graph.nodes[node]!;
    if (parent < 0) return;
    const { iteration: above, index } = outside(iteration);
    const container = { node: parent, iteration: above };
    const open = this.row(container).iterations?.open.find((each) => each.index === index);
    if (open !== undefined && open.left === 0) this.work.push(container);
  }

  setTimer(at: At, timer: TimerKind, due: Millis, attempt: number): void {
    const what = { node: at.node, iteration: at.iteration, timer, due, attempt };
    this.emit({ type: 'timer-set', ...what });
    this.effects.push({ effect: 'set-timer', ...what });
  }

  /** All timers of a node but some, or those of the execution (`node` -1). */
  clearTimers(at: At, but: readonly TimerKind[] = NONE): void {
    const timers = at.node < 0 ? this.header.timers : this.row(at).timers;
    for (const { timer, due, attempt } of timers) {
      if (but.includes(timer)) continue;
      const what = { node: at.node, iteration: at.iteration, timer, due, attempt };
      this.emit({ type: 'timer-cleared', ...what });
      this.effects.push({ effect: 'clear-timer', ...what });
    }
  }

  /** What a node is pinned to. */
  pin(id: string): Json | undefined {
    return this.header.hasPins ? this.rows.pin(id) : undefined;
  }

  reject(code: string, why: string): void {
    this.emit({ type: 'rejected', code, why });
  }

  output(at: At, port: string): Json | undefined {
    return this.rows.output(this.key(at), port);
  }

  finish(): Decided {
    const header = this.rows.header();
    const deferred = packed([...new Set(this.work.map((at) => keyOf(at.node, at.iteration)))]);
    const isOver = header === undefined || header.phase === 'ended';
    if (!isOver && (deferred.length > 0 || header.deferred.length > 0)) {
      const isSame =
        deferred.length === header.deferred.length && deferred.every((key, i) => key === header.deferred[i]);
      if (!isSame) this.emit({ type: 'deferred', nodes: deferred });
    }
    const more =
      !isOver && (this.unclosed || (deferred.length > 0 && header.phase !== 'paused' && !waitsForSession(header)));
    const record = this.events.length === 0 ? undefined : { ...this.head, events: this.events };
    return { record, effects: this.effects, more };
  }
}

const NONE: readonly TimerKind[] = [];
/** More than there are of a node within one run of its container. */
const ATTEMPTS = 1000;
