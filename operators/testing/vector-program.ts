import { int64, type Serde, string, windowed } from '../../schemas/schemas.ts';
import type { PlanNode, PlanStore, WindowSpec } from '../../topology/plan.ts';
import type { ProcessContext, Processor } from '../process.ts';
import type { TestProgram } from './test-task.ts';

/** A statement of a vector's topology; see the README of the format in the vectors' own file. */
export interface VectorOp {
  readonly op: string;
  readonly id?: string;
  readonly from?: string;
  readonly with?: string;
  readonly topic?: string;
  readonly name?: string;
  readonly pred?: { readonly neq?: string; readonly startsWith?: string };
  readonly fn?: string;
  readonly keyFn?: string;
  readonly kind?: 'count' | 'reduce' | 'aggregate';
  readonly store?: string;
  readonly retention?: number;
  readonly emit?: string;
  readonly window?: { readonly type: string; readonly size: number; readonly advance?: number; readonly grace: number };
  readonly type?: 'inner' | 'left';
  readonly time?: 'stream' | 'wall';
  readonly interval?: number;
  readonly until?: string;
  readonly grace?: number;
  readonly versionedMs?: number;
}

type Text = string | null;

/** A stream or table of the vector: the node that makes it, and what it puts out. */
interface Handle {
  readonly node: string;
  readonly key: string;
  readonly value: string;
  readonly stale: boolean;
  readonly store?: string;
}

/** Builds the plan nodes of a vector: the DSL's work, done by hand so that operators are tested apart from it. */
export class VectorProgram implements TestProgram {
  readonly nodes: PlanNode[] = [];
  readonly stores: Omit<PlanStore, 'nodes'>[] = [];
  readonly topics: { name: string; key: string; value: string }[] = [];
  readonly #handles = new Map<string, Handle>();
  readonly #functions = new Map<string, unknown>();
  readonly #serdes = new Map<string, Serde<unknown>>();

  constructor(ops: readonly VectorOp[]) {
    this.#serde(string());
    this.#serde(int64());
    for (const [index, op] of ops.entries()) this.#add(op, op.id ?? `op${index}`);
  }

  fn(ref: string): unknown {
    return this.#functions.get(ref);
  }

  serde(name: string): Serde<unknown> {
    return this.#serdes.get(name)!;
  }

  #serde<T>(serde: Serde<T>): string {
    this.#serdes.set(serde.name, serde as Serde<unknown>);
    return serde.name;
  }

  #code(id: string, role: string, fn: (...args: never[]) => unknown): string {
    this.#functions.set(`${id}/${role}`, fn);
    return `${id}/${role}`;
  }

  #add(op: VectorOp, id: string): void {
    if (op.op === 'stream' || op.op === 'table') {
      this.#source(op, id);
      return;
    }
    const from = this.#handles.get(op.from!)!;
    const at = { id, inputs: [from.node], key: from.key, value: from.value };
    const set = (handle: Partial<Handle> = {}) => this.#handles.set(id, { ...from, node: id, ...handle });
    switch (op.op) {
      case 'filter':
        this.nodes.push({ ...at, kind: 'filter', fn: this.#code(id, 'fn', predicate(op)), not: false });
        set();
        break;
      case 'mapValues':
        this.nodes.push({ ...at, kind: 'mapValues', fn: this.#code(id, 'fn', textFn(op.fn!)) });
        set();
        break;
      case 'flatMapValues':
        this.nodes.push({ ...at, kind: 'flatMap', fn: this.#code(id, 'fn', splitAtCommas) });
        set();
        break;
      case 'selectKey':
        this.nodes.push({ ...at, kind: 'selectKey', fn: this.#code(id, 'fn', textFn(op.fn!)) });
        set({ stale: true });
        break;
      case 'merge':
        this.nodes.push({ ...at, kind: 'merge', inputs: [from.node, this.#handles.get(op.with!)!.node] });
        set({ stale: from.stale || this.#handles.get(op.with!)!.stale });
        break;
      case 'repartition':
        this.#handles.set(id, this.#repartition(from, op.name ?? id));
        break;
      case 'groupBy':
        this.nodes.push({ ...at, id: `${id}-key`, kind: 'selectKey', fn: this.#code(id, 'fn', textFn(op.keyFn!)) });
        this.#handles.set(id, this.#repartition({ ...from, node: `${id}-key` }, id));
        break;
      case 'groupByKey':
        this.#handles.set(id, from.stale ? this.#repartition(from, id) : from);
        break;
      case 'aggregate':
        this.#aggregate(op, id, from);
        break;
      case 'suppress':
      case 'toStream':
        this.nodes.push({ ...at, kind: op.op });
        set();
        break;
      case 'toTable':
        this.stores.push({ name: op.store!, kind: 'key-value', key: from.key, value: from.value, retentionMs: null });
        this.nodes.push({ ...at, kind: 'toTable', store: op.store! });
        set({ store: op.store! });
        break;
      case 'joinST':
        this.#join(op, id, from);
        break;
      case 'punctuate':
        this.#functions.set(`${id}/supplier`, () => new Ticker(op.time!, op.interval!));
        this.nodes.push({ ...at, kind: 'process', supplier: `${id}/supplier`, stores: [], rekeys: true });
        set();
        break;
      case 'to':
        this.topics.push({ name: op.topic!, key: from.key, value: from.value });
        this.nodes.push({ ...at, kind: 'to', topic: op.topic!, partitioner: 'key' });
        break;
      default:
        throw new Error(`no operator for ${op.op}`);
    }
  }

  #source(op: VectorOp, id: string): void {
    const topic = op.topic!;
    const texts = { key: 'string', value: 'string' };
    const at = { id, inputs: [], ...texts, topic, onUndecodable: 'fail' as const };
    this.topics.push({ name: topic, ...texts });
    if (op.op === 'stream') {
      this.nodes.push({ ...at, kind: 'source', time: null });
      this.#handles.set(id, { node: id, ...texts, stale: false });
      return;
    }
    const store = op.store ?? `${id}-store`;
    this.stores.push({ name: store, kind: 'key-value', ...texts, retentionMs: null });
    this.nodes.push({ ...at, kind: 'table', store });
    this.#handles.set(id, { node: id, ...texts, stale: false, store });
  }

  #repartition(from: Handle, id: string): Handle {
    const { key, value } = from;
    const topic = `${id}-repartition`;
    this.topics.push({ name: topic, key, value });
    this.nodes.push({ kind: 'repartition', id: `${id}-repartition`, inputs: [from.node], key, value, topic, nullKeys: 'drop' });
    return { ...from, node: `${id}-repartition`, stale: false };
  }

  #aggregate(op: VectorOp, id: string, from: Handle): void {
    const window = op.window === undefined ? null : windowSpec(op.window);
    const how = op.kind!;
    const value = how === 'count' ? 'int64' : 'string';
    const key = window === null ? from.key : this.#serde(windowed(this.serde(from.key), window.sizeMs));
    const kind = window === null ? 'key-value' : 'window';
    const retentionMs = window === null ? null : (op.retention ?? window.sizeMs + window.graceMs);
    this.stores.push({ name: op.store!, kind, key: from.key, value, retentionMs });
    const add = how === 'count' ? null : this.#code(id, 'add', (old: Text, next: Text) => `${old}+${next}`);
    const initial = how === 'aggregate' ? this.#code(id, 'initial', () => '0') : null;
    this.nodes.push({
      kind: 'aggregate',
      id,
      inputs: [from.node],
      key,
      value,
      how,
      store: op.store!,
      window,
      add,
      initial,
    });
    this.#handles.set(id, { node: id, key, value, stale: false, store: op.store! });
  }

  #join(op: VectorOp, id: string, from: Handle): void {
    const left = from.stale ? this.#repartition(from, id) : from;
    const right = this.#handles.get(op.with!)!;
    this.nodes.push({
      kind: 'joinTable',
      id,
      inputs: [left.node, right.node],
      key: left.key,
      value: 'string',
      how: op.type!,
      store: right.store!,
      merge: this.#code(id, 'merge', (a: Text, b: Text) => `${a}+${b}`),
    });
    this.#handles.set(id, { ...left, node: id });
  }
}

function windowSpec(window: NonNullable<VectorOp['window']>): WindowSpec {
  const { size: sizeMs, advance, grace: graceMs } = window;
  return advance === undefined
    ? { type: 'tumbling', sizeMs, graceMs }
    : { type: 'hopping', sizeMs, advanceMs: advance, graceMs };
}

function predicate(op: VectorOp): (value: Text) => boolean {
  const { neq, startsWith } = op.pred!;
  if (neq !== undefined) return (value) => value !== null && value !== neq;
  return (value) => value?.startsWith(startsWith!) === true;
}

function textFn(fn: string): (value: Text, key: Text) => Text {
  const [name, text = ''] = fn.split(':');
  switch (name) {
    case 'key':
      return (_value, key) => key;
    case 'value':
      return (value) => value;
    case 'upper':
      return (value) => value!.toUpperCase();
    case 'append':
      return (value) => `${value}${text}`;
    case 'nullIf':
      return (value) => (value?.startsWith(text) ? null : value);
    case 'prefix':
      return (value) => part(value!, 0);
    case 'suffix':
      return (value) => part(value!, 1);
    default:
      return () => null;
  }
}

function part(value: string, side: 0 | 1): Text {
  const bar = value.indexOf('|');
  if (bar < 0) return value;
  const text = side === 0 ? value.slice(0, bar) : value.slice(bar + 1);
  return text === '-' ? null : text;
}

function splitAtCommas(value: Text, key: Text): readonly (readonly [Text, Text])[] {
  return value!.split(',').map((piece) => [key, piece] as const);
}

class Ticker implements Processor<Text, Text, Text, Text> {
  readonly #time: 'stream' | 'wall';
  readonly #interval: number;

  constructor(time: 'stream' | 'wall', interval: number) {
    this.#time = time;
    this.#interval = interval;
  }

  init(context: ProcessContext<Text, Text>): void {
    context.schedule(this.#interval, this.#time, (at) => context.forward('P', `tick@${at}`));
  }

  process(value: Text, key: Text, context: ProcessContext<Text, Text>): void {
    context.forward(key, value);
  }
}
