import assert from 'node:assert/strict';
import type { Json } from '../../../core/ids.ts';
import type { FailureInfo, NodeStatus, StepRecord } from '../../../events/events.ts';
import type { Graph } from '../../graph.ts';
import {
  type Command,
  createLifecycle,
  type Decided,
  type Effect,
  keyOf,
  type Lifecycle,
  type LifecycleParts,
  MemoryRows,
  type NodeRow,
  type PatchOp,
  PENDING_ROW,
  type RunInline,
} from '../lifecycle.ts';
import { buildGraph, type GraphSpec, patchGraph } from './build-graph.ts';
import { checkEndCounts } from './check-log.ts';
import { outstanding } from './outstanding.ts';

export interface HarnessOptions {
  readonly inline?: RunInline;
  readonly tap?: LifecycleParts['tap'];
  readonly heldAfter?: number;
}

export type StartCommand = Extract<Command, { readonly type: 'start' }>;

export const START: StartCommand = {
  type: 'start',
  input: null,
  mode: 'realtime',
  user: null,
  priority: 5,
  deadline: null,
  labels: {},
  idempotencyKey: null,
  parent: null,
  select: null,
  pins: null,
  forkOf: null,
};

export const failure = (thrown: unknown, instance: string): FailureInfo => ({
  class: 'PERMANENT',
  code: 'test.thrown',
  message: thrown instanceof Error ? thrown.message : String(thrown),
  instance,
});

export const fault = (kind: FailureInfo['class'], code = 'test.failed'): FailureInfo => ({
  ...{ class: kind, code, message: code, instance: '' },
});

/** One execution, driven command by command; every step is held against the fold of the records. */
export class Harness {
  readonly lifecycle: Lifecycle;
  rows = new MemoryRows();
  graph: Graph;
  readonly graphs: Graph[] = [];
  readonly records: StepRecord[] = [];
  readonly effects: Effect[] = [];
  at = 1_000_000;
  readonly #parts: LifecycleParts;
  #ids = 0;

  constructor(spec: GraphSpec, options: HarnessOptions = {}) {
    this.graph = buildGraph(spec);
    this.graphs[0] = this.graph;
    this.#parts = {
      runInline: options.inline ?? ((_, __, inputs) => ({ out: inputs['in'] ?? null })),
      failure,
      patch: (graph, ops) => patchGraph(graph, ops),
      ...(options.tap === undefined ? {} : { tap: options.tap }),
      ...(options.heldAfter === undefined ? {} : { heldAfter: options.heldAfter }),
    };
    this.lifecycle = createLifecycle(this.#parts);
  }

  /** Sends a command, and whatever the step asks to go on with. */
  send(command: Command, id = `c${++this.#ids}`): Decided {
    const first = this.step(command, id);
    for (let more = first.more; more; ) more = this.step({ type: 'continue' }, '').more;
    return first;
  }

  step(command: Command, id: string): Decided {
    const cause =
      command.type === 'continue'
        ? ({ kind: 'continue' } as const)
        : command.type === 'timer'
          ? ({ kind: 'timer', timer: command.timer, due: command.due } as const)
          : ({ kind: 'command', type: command.type, id, by: 'ann' } as const);
    const decided = this.lifecycle.decide(this.rows, this.graph, 'x', command, { id, by: 'ann', at: this.at, cause });
    const { record } = decided;
    this.effects.push(...decided.effects);
    if (record !== undefined && record.seq > 0) {
      this.records.push(record);
      this.#follow(record);
      this.holdFold();
    }
    return decided;
  }

  #follow(record: StepRecord): void {
    for (const event of record.events) {
      if (event.type !== 'patched') continue;
      this.graph = patchGraph(this.graph, event.ops as unknown as readonly PatchOp[]);
      this.graphs[this.graph.revision] = this.graph;
    }
  }

  start(input: Json = null, more: Partial<StartCommand> = {}): Decided {
    return this.send({ ...START, input, ...more });
  }

  /** The rows are what the records say, for every prefix; and the counts are what a recount says. */
  holdFold(): void {
    const folded = this.fold(this.records.length);
    assert.deepEqual(contentsOf(folded), contentsOf(this.rows));
    checkEndCounts(this.records);
  }

  fold(steps: number): MemoryRows {
    const rows = new MemoryRows();
    for (const record of this.records.slice(0, steps)) {
      for (const event of record.events) this.lifecycle.evolve(rows, this.graphs[record.revision]!, record, event);
    }
    return rows;
  }

  row(id: string, iteration = ''): NodeRow {
    return this.rows.node(keyOf(this.graph.number(id)!, iteration)) ?? PENDING_ROW;
  }

  status(id: string, iteration = ''): NodeStatus {
    return this.row(id, iteration).status;
  }

  /** `a:COMPLETED b:CANCELLED`, at the top. */
  get states(): string {
    const top = this.graph.nodes.filter((node) => node.parent < 0 && !node.removed);
    return top.map(({ id }) => `${id}:${this.status(id)}`).join(' ');
  }

  get ended(): {
    readonly status: string;
    readonly output: Json;
    readonly error: string | null;
    readonly degraded: boolean;
  } {
    for (const event of this.records.at(-1)?.events ?? []) {
      if (event.type !== 'ended') continue;
      const { status, output, error, degraded } = event;
      return { status, output, error: error?.code ?? null, degraded };
    }
    throw new Error(`it has not ended: ${this.states}`);
  }

  grant(id: string, iteration = ''): void {
    const { attempt } = this.row(id, iteration);
    this.send({ type: 'grant', node: this.graph.number(id)!, iteration, attempt });
  }

  /** Grants a slot where none is had, and reports. */
  done(id: string, value: Json = null, iteration = ''): Decided {
    if (this.status(id, iteration) === 'QUEUED') this.grant(id, iteration);
    return this.report(id, { ok: true, outputs: { out: value } }, iteration);
  }

  failed(id: string, error: FailureInfo, iteration = '', retryAfterMs?: number): Decided {
    if (this.status(id, iteration) === 'QUEUED') this.grant(id, iteration);
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    return this.report(id, { ok: false, error, ...after }, iteration);
  }

  report(
    id: string,
    outcome: Extract<Command, { type: 'report' }>['outcome'],
    iteration = '',
    attempt?: number,
  ): Decided {
    const at = { node: this.graph.number(id)!, iteration, attempt: attempt ?? this.row(id, iteration).attempt };
    return this.send({ type: 'report', ...at, outcome });
  }

  /** The clock goes to the next timer, which fires. */
  fire(): void {
    const { effects } = outstanding(this.#parts, this.rows, this.graph);
    const timers = effects.flatMap((effect) => (effect.effect === 'set-timer' ? [effect] : []));
    const next = timers.reduce((a, b) => (b.due < a.due ? b : a));
    this.at = Math.max(this.at, next.due);
    const { timer, node, iteration, attempt, due } = next;
    this.send({ type: 'timer', timer, node, iteration, attempt, due });
  }

  rejection({ record }: Decided): string | undefined {
    return record?.events.flatMap((event) => (event.type === 'rejected' ? [event.code] : []))[0];
  }
}

export function contentsOf(rows: MemoryRows): unknown {
  const { nodes, outputs, signals, selected, pinned } = rows;
  return { header: rows.header(), nodes, outputs, signals, selected, pinned };
}
