import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../../core/ids.ts';
import { type Random, randomInt, seededRandom, seedOf } from '../../../core/random.ts';
import type { Cause, FailureInfo, StepRecord } from '../../../events/events.ts';
import type { Graph } from '../../graph.ts';
import {
  type Command,
  createLifecycle,
  type Effect,
  type Lifecycle,
  type LifecycleParts,
  MemoryRows,
  PROCESS_LOST,
} from '../lifecycle.ts';
import { isTerminal, keyOf, partsOf } from '../row.ts';
import { buildGraph, type GraphSpec, patchGraph } from './build-graph.ts';
import { checkCounts, checkEndCounts } from './check-log.ts';
import { contentsOf, failure, fault, START, type StartCommand } from './harness.ts';
import { outstanding } from './outstanding.ts';

export interface WorldOptions {
  readonly seed: number;
  /** How likely an attempt fails, a message comes twice, the owner crashes behind a step (no `continue` that finds nothing). */
  readonly faults?: number;
  readonly duplicates?: number;
  readonly crashes?: number;
  /** How likely somebody interferes, at each step: cancels, pauses, intervenes, begins again. */
  readonly people?: number;
  readonly start?: Partial<StartCommand>;
  readonly tap?: LifecycleParts['tap'];
  /** What a mistake in the engine would make of commands and effects. */
  readonly bend?: (lifecycle: Lifecycle) => Lifecycle;
}

/** A message on its way. */
interface Message {
  readonly command: Command;
  readonly id: string;
  /** When it comes, if not at any time. */
  readonly due: number;
}

export interface Sent {
  readonly command: Command;
  readonly id: string;
  readonly at: number;
  readonly record: StepRecord | undefined;
  readonly effects: readonly Effect[];
}

type RunEffect = Extract<Effect, { readonly effect: 'run' }>;

/** They are in the log, and are not lost with an owner. */
const FROM_OTHERS: ReadonlySet<Command['type']> = new Set(['report', 'progress', 'child-ended']);
const MOST_STEPS = 3000;
export const EXECUTION = 'x';

/**
 * A world around one execution: slots, tasks, timers, children, people; everything in random order, twice, or lost with
 * the memory of an owner that crashes and is followed by one that knows the records alone.
 */
export class World {
  readonly graph: Graph;
  readonly lifecycle: Lifecycle;
  readonly records: StepRecord[] = [];
  readonly sent: Sent[] = [];
  readonly random: Random;
  rows = new MemoryRows();
  at = 1_000_000;
  crashes = 0;
  readonly #options: WorldOptions;
  readonly #parts: LifecycleParts;
  #shadow = new MemoryRows();
  #pool: Message[] = [];
  readonly #seen: Message[] = [];
  /** Segments that go on until they are told to end. */
  readonly #streams = new Map<string, RunEffect>();
  #ids = 0;

  constructor(spec: GraphSpec, options: WorldOptions) {
    this.#options = options;
    this.random = seededRandom(options.seed);
    this.graph = buildGraph(spec);
    const { tap } = options;
    this.#parts = {
      runInline: (node, _, inputs, { iteration, attempt }) => {
        if (this.#fails(`${node.id} ${iteration} ${attempt}`)) throw new Error('inline failed');
        return { out: { [node.id]: inputs } };
      },
      failure,
      patch: (graph, ops) => patchGraph(graph, ops),
      ...(tap === undefined ? {} : { tap }),
    };
    const lifecycle = createLifecycle(this.#parts);
    this.lifecycle = options.bend?.(lifecycle) ?? lifecycle;
  }

  /** Whether an attempt fails hangs on the seed and its ids, not on when it is made. */
  #fails(attempt: string): boolean {
    const drawn = seedOf(`${this.#options.seed} ${attempt}`) / 2 ** 32;
    return drawn < (this.#options.faults ?? 0.2);
  }

  /** Until it has ended. */
  run(): void {
    this.#send({ ...START, input: { in: 1 }, ...this.#options.start }, 'start');
    for (let steps = 0; !this.isEnded; steps++) {
      assert.ok(steps < MOST_STEPS, `it does not end: ${this.describe()}`);
      this.#interfere();
      if (this.isEnded) return;
      const next = this.#take();
      if (next === undefined) {
        this.#unblock();
        continue;
      }
      this.at = Math.max(this.at, next.due);
      this.#send(next.command, next.id);
      if (this.#chance(this.#options.duplicates ?? 0)) this.#again();
    }
    // what comes after the end is of no effect
    for (let i = 0; i < 3 && this.#seen.length > 0; i++) this.#again();
  }

  get isEnded(): boolean {
    return this.rows.header()?.phase === 'ended';
  }

  describe(): string {
    const open = [...this.rows.nodes].flatMap(([key, row]) =>
      isTerminal(row.status)
        ? []
        : [`${this.graph.nodes[partsOf(key).node]!.id}@${partsOf(key).iteration} ${row.status}`],
    );
    return `${JSON.stringify(this.rows.header()?.counts)} ${this.rows.header()?.phase} ${open.join(', ')}`;
  }

  #chance(of: number): boolean {
    return this.random.next() < of;
  }

  /** Anything that may come now; of timers the next, for the clock does not jump over one. */
  #take(): Message | undefined {
    const now = this.#pool.filter(({ due }) => due <= this.at);
    if (now.length === 0 || (this.#chance(0.1) && this.#pool.length > now.length)) {
      const later = this.#pool.filter(({ due }) => due > this.at);
      const next = later.reduce<Message | undefined>((a, b) => (a === undefined || b.due < a.due ? b : a), undefined);
      if (next === undefined) return undefined;
      this.#pool.splice(this.#pool.indexOf(next), 1);
      return next;
    }
    const next = now[randomInt(this.random, now.length)]!;
    this.#pool.splice(this.#pool.indexOf(next), 1);
    return next;
  }

  #again(): void {
    const message = this.#seen[randomInt(this.random, this.#seen.length)]!;
    if (message.command.type !== 'continue') this.#send(message.command, message.id);
  }

  #send(command: Command, id: string): void {
    const cause: Cause =
      command.type === 'timer'
        ? { kind: 'timer', timer: command.timer, due: command.due }
        : command.type === 'continue'
          ? { kind: 'continue' }
          : { kind: 'command', type: command.type, id, by: null };
    const envelope = { id, by: null, at: this.at, cause };
    this.#seen.push({ command, id, due: 0 });
    const decided = this.lifecycle.decide(this.rows, this.graph, EXECUTION, command, envelope);
    const { record, effects, more } = decided;
    this.sent.push({ command, id, at: this.at, record, effects });
    if (record !== undefined && record.seq > 0) this.#keep(record);
    if (this.isEnded) {
      this.#pool = [];
      return;
    }
    for (const effect of effects) this.#ask(effect);
    if (more) this.#pool.push({ command: { type: 'continue' }, id: '', due: 0 });
    if (this.#chance(this.#options.crashes ?? 0) && (record ?? command.type !== 'continue')) this.#crash();
  }

  /** Property 4: what is live is the fold of the records, as a reader of the log has them. */
  #keep(record: StepRecord): void {
    this.records.push(record);
    const read = JSON.parse(JSON.stringify(record)) as StepRecord;
    for (const event of read.events) this.lifecycle.evolve(this.#shadow, this.graph, read, event);
    checkCounts(this.rows, this.graph);
    if (this.isEnded) checkEndCounts(this.records);
    if (isDeepStrictEqual(contentsOf(this.#shadow), contentsOf(this.rows))) return;
    assert.deepEqual(contentsOf(this.#shadow), contentsOf(this.rows), `4: the fold differs behind step ${record.seq}`);
  }

  /** The memory of the owner is gone; another reads the rows, and asks the world again. */
  #crash(): void {
    this.crashes++;
    const live = this.rows;
    this.rows = this.#shadow;
    this.#shadow = live;
    const { effects, more } = outstanding(this.#parts, this.rows, this.graph);
    this.#streams.clear();
    this.#pool = this.#pool.filter(({ command: { type } }) => FROM_OTHERS.has(type));
    for (const effect of effects) this.#ask(effect);
    if (more) this.#pool.push({ command: { type: 'continue' }, id: '', due: 0 });
  }

  #ask(effect: Effect): void {
    switch (effect.effect) {
      case 'queue': {
        const { node, iteration, attempt } = effect;
        this.#push({ type: 'grant', node, iteration, attempt });
        return;
      }
      case 'run': {
        this.#tellProgress(effect);
        const { node, iteration, attempt, lost } = effect;
        if (lost > 0) this.#push({ type: 'called', node, iteration, attempt });
        if (this.#goesOn(effect)) this.#streams.set(keyOf(effect.node, effect.iteration), effect);
        else this.#answer(effect);
        return;
      }
      case 'savepoint':
      case 'end': {
        const run = this.#streams.get(keyOf(effect.node, effect.iteration));
        if (run?.attempt === effect.attempt) this.#answer(run, effect.effect === 'savepoint');
        return;
      }
      case 'set-timer': {
        const { effect: _, ...timer } = effect;
        this.#push({ type: 'timer', ...timer }, timer.due);
        return;
      }
      case 'clear-timer':
        // some clears come too late
        if (this.#chance(0.5)) return;
        this.#pool = this.#pool.filter(
          ({ command: c }) =>
            c.type !== 'timer' ||
            c.timer !== effect.timer ||
            c.node !== effect.node ||
            c.iteration !== effect.iteration ||
            c.due !== effect.due,
        );
        return;
      case 'send':
        this.#askOther(effect.execution, effect.command);
        return;
      default:
    }
  }

  /** A stream has no end but the one that it is told. */
  #goesOn({ node, mode, ending }: RunEffect): boolean {
    return mode === 'streaming' && !ending && this.graph.nodes[node]!.type.behaviour.kind === 'operator';
  }

  #answer(effect: RunEffect, stops = false): void {
    const { node, iteration, attempt, inputs } = effect;
    // some never answer, and leave it to timeouts or to people
    const isSilent = this.graph.nodes[node]!.timeouts.runMs !== null && this.#chance(0.3);
    if (isSilent || (stops && this.#chance(0.3))) return;
    const stopped = { ok: false, error: fault('SYSTEM', 'stopped') } as const;
    const outcome = stops ? stopped : this.#outcome(effect, inputs);
    this.#push({ type: 'report', node, iteration, attempt, outcome });
  }

  #askOther(child: string, command: Command): void {
    if (command.type !== 'start' && command.type !== 'cancel' && command.type !== 'savepoint') return;
    if (command.type === 'start') this.#children.set(child, command);
    const { node, iteration } = this.#children.get(child)!.parent!;
    const hasFailed = this.#fails(child);
    const status = command.type !== 'start' ? 'CANCELLED' : hasFailed ? 'FAILED' : 'COMPLETED';
    const error = hasFailed ? fault('PERMANENT', 'child.failed') : null;
    const kept = command.type === 'savepoint' ? { kept: { execution: child, first: child, number: 2 } } : {};
    this.#push({ type: 'child-ended', child, node, iteration, status, output: { child }, error, ...kept });
  }

  readonly #children = new Map<string, StartCommand>();

  /** A segment tells what has passed, in any order and not all of it. */
  #tellProgress({ node, iteration, attempt }: RunEffect): void {
    const at = { node, iteration, attempt };
    if (this.graph.nodes[node]!.type.behaviour.kind !== 'operator') return;
    for (let told = randomInt(this.random, 4); told > 0; told--) {
      this.#push({ type: 'progress', ...at, value: this.#figures(node) });
    }
  }

  #figures(segment: number): Json {
    const inner = this.graph.nodes.filter(({ standIn }) => standIn === segment);
    const status = () => (this.#chance(0.4) ? 'COMPLETED' : 'RUNNING');
    const nodes = inner.map(({ id }) => [id, { status: status(), in: randomInt(this.random, 9) }]);
    return { nodes: Object.fromEntries(nodes), edges: {}, share: null };
  }

  #push(command: Command, due = 0): void {
    this.#pool.push({ command, id: `m${++this.#ids}`, due });
  }

  #outcome(at: { readonly node: number; readonly iteration: string; readonly attempt: number }, inputs: Json) {
    const { id, outputs: ports, type } = this.graph.nodes[at.node]!;
    const name = `${id} ${at.iteration} ${at.attempt}`;
    if (!this.#fails(name)) {
      if (type.behaviour.kind !== 'operator') return { ok: true, outputs: { out: { [id]: inputs } } } as const;
      const outputs = Object.fromEntries(ports.map((port) => [port, { [port]: inputs }]));
      return { ok: true, outputs, progress: this.#figures(at.node) } as const;
    }
    const classes: readonly FailureInfo['class'][] = ['TRANSIENT', 'TRANSIENT', 'SYSTEM', 'PERMANENT', 'USER'];
    const kind = classes[seedOf(name) % classes.length]!;
    const error = kind === 'SYSTEM' && seedOf(`${name} lost`) % 2 === 0 ? fault(kind, PROCESS_LOST) : fault(kind);
    return { ok: false, error, ...(this.#chance(0.2) ? { retryAfterMs: 7000 } : {}) } as const;
  }

  /** Somebody does something, sensible or not. */
  #interfere(): void {
    if (!this.#chance(this.#options.people ?? 0)) return;
    const node = this.graph.nodes[randomInt(this.random, this.graph.nodes.length)]!;
    const keys = [...this.rows.nodes.keys()].map(partsOf).filter((each) => each.node === node.number);
    const iteration = keys[randomInt(this.random, Math.max(1, keys.length))]?.iteration ?? '';
    const by: readonly (() => Command)[] = [
      ...(['pause', 'resume'] as const).map((type) => () => ({ type })),
      () => ({ type: 'retry-from', node: node.id }),
      () => ({ type: 'cancel', reason: 'so', node: this.#chance(0.5) ? null : node.id, graceMs: 4000 }),
      () => ({
        type: 'signal',
        name: `s${randomInt(this.random, 3)}`,
        id: `i${randomInt(this.random, 4)}`,
        payload: 1,
      }),
      () => {
        const action = (['retry', 'output', 'skip', 'fail'] as const)[randomInt(this.random, 4)]!;
        const what = { action, value: action === 'output' ? 5 : null, ...(this.#chance(0.5) ? { given: true } : {}) };
        return { type: 'intervene', node: node.id, iteration, ...what } as Command;
      },
      () => ({
        type: 'report',
        node: node.number,
        iteration,
        attempt: randomInt(this.random, 3),
        outcome: { ok: true, outputs: {} },
      }),
      () => ({ type: 'approve', token: 'a1-0-~x', decision: 'approved', value: null }),
      () => ({ type: 'redrive', deadLetter: `d1-${node.number}-${iteration}~x`, input: this.#chance(0.5) ? 7 : null }),
      ...(this.#options.start?.mode === 'streaming' ? [() => ({ type: 'end' }) as const, () => this.#savepoint()] : []),
    ];
    this.#send(by[randomInt(this.random, by.length)]!(), `p${++this.#ids}`);
  }

  #savepoint(): Command {
    const graceMs = 4000;
    const waits = [...this.rows.allNodes()].flatMap(([, { wait }]) => (wait?.on === 'child' ? [wait.token] : []));
    const children = Object.fromEntries(waits.map((id) => [id, this.#chance(0.1) ? 'it cannot' : null]));
    if (this.#chance(0.5)) return { type: 'savepoint', next: null, graceMs, children };
    const ids = this.graph.nodes.filter(() => this.#chance(0.9)).map(({ id }) => id);
    const segments = Object.fromEntries(ids.map((id) => [id, this.#chance(0.1) ? 'it does not fit' : null]));
    return { type: 'savepoint', next: { version: '2.0.0', nodes: ids, segments }, graceMs, children };
  }

  /** Property 7: nothing comes by itself, so somebody is waited for, and has a name. */
  #unblock(): void {
    const id = `u${++this.#ids}`;
    if (this.rows.header()!.phase === 'paused') {
      this.#send({ type: 'resume' }, id);
      return;
    }
    for (const [key, row] of this.rows.nodes) {
      const { wait } = row;
      if (wait === null) {
        const { kind } = this.graph.nodes[partsOf(key).node]!.type.behaviour;
        const { mode, ending } = this.rows.header()!;
        if (row.status === 'RUNNING' && kind === 'operator' && mode === 'streaming' && !ending) {
          this.#send({ type: 'end' }, id);
          return;
        }
        // a task that never answers is not waited for by a timer: its owner says so
        const { node, iteration } = partsOf(key);
        const isTask = kind === 'task' || kind === 'operator';
        if (row.status !== 'RUNNING' || !isTask) continue;
        const outcome = { ok: false, error: fault('SYSTEM', 'lease.expired') } as const;
        this.#send({ type: 'report', node, iteration, attempt: row.attempt, outcome }, id);
        return;
      }
      if (wait.on === 'signal')
        this.#send({ type: 'signal', name: wait.token, id, payload: { signal: wait.token } }, id);
      else if (wait.on === 'approval') {
        this.#send(
          { type: 'approve', token: wait.token, decision: this.#fails(key) ? 'rejected' : 'approved', value: 1 },
          id,
        );
      } else if (wait.on === 'intervention') {
        const { node, iteration } = partsOf(key);
        const action = this.#chance(0.5) ? 'output' : this.#chance(0.5) ? 'skip' : 'fail';
        this.#send({ type: 'intervene', node: this.graph.nodes[node]!.id, iteration, action, value: 3 }, id);
      } else continue;
      return;
    }
    assert.fail(`7: nothing is waited for, and it has not ended: ${this.describe()}`);
  }
}
