import { type Bytes, ByteWriter } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import { partitionForKey } from '../log/log.ts';
import type { FoundRow, Session, StoreQuestion, Version } from '../operators/operators.ts';
import type { Serde, Windowed } from '../schemas/schemas.ts';
import { ownStore, type PlanNode, type PlanStore, type Stage, type StoreKind } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import type { StoreRequest } from './read-store.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

/** Stated with every question: how much of what is being done now it sees. */
export interface ReadOptions {
  /**
   * - `live`: the rows as they stand in memory; what is not committed may still be taken back by a crash.
   * - `committed`: what committed epochs have left, and is never taken back. The first such question to a task waits
   *   for a commit; from then on what rows were before their change is kept.
   */
  readonly read: 'live' | 'committed';
  /**
   * Asks this partition alone: for stores of processors, of which the plan does not say where a key lies, by those who
   * know it.
   */
  readonly partition?: number;
}

export interface RangeOptions<K> extends ReadOptions {
  /** The most rows that are answered. */
  readonly limit: number;
  /** Only rows behind this key: the last one of an earlier answer. */
  readonly after?: K;
  /** Of a window store: the window, by its start; cumulative and calendar windows by their end. */
  readonly window?: Millis;
}

export interface TimesOptions extends ReadOptions {
  /** The most rows that are answered. Default 1000. */
  readonly limit?: number;
}

/** Reads the stores of a running application, in the process that runs their tasks. */
export interface Query {
  /** A store of the plan; fails with `query.invalid` where there is none of that name. */
  store<K, V>(name: string): StoreQuery<K, V>;
}

/**
 * A store that can be asked while the application runs. A question goes to the worker whose task has the key, and is
 * answered between two records. Which kinds of stores take which questions, docs/queries.md tells; others fail with
 * `query.invalid`. A partition that this process does not hold is `query.elsewhere`, one that is not restored yet
 * `query.restoring`.
 */
export interface StoreQuery<K, V> {
  /** The row of a key; of a versioned store the newest. */
  get(key: K, options: ReadOptions): Promise<V | undefined>;
  /** Rows from one key to another, both included, in the order of encoded keys, over all partitions. */
  range(
    from: K | undefined,
    to: K | undefined,
    options: RangeOptions<K>,
  ): Promise<readonly (readonly [key: K, value: V])[]>;
  /** The rows of a key in windows that start from one time to another, both included, oldest first. */
  window(key: WindowKey<K>, from: Millis, to: Millis, options: TimesOptions): Promise<readonly WindowRow<V>[]>;
  /** The sessions of a key that end at `earliestEnd` or later and start at `latestStart` or earlier. */
  session(
    key: WindowKey<K>,
    earliestEnd: Millis,
    latestStart: Millis,
    options: TimesOptions,
  ): Promise<readonly Session<V>[]>;
  /** The version of a row that is valid at a time. */
  asOf(key: K, at: Millis, options: ReadOptions): Promise<Version<V> | undefined>;
}

/** Where rows lie by keys of windows, the key inside; else the key. */
export type WindowKey<K> = K extends Windowed<infer Inner> ? Inner : K;

export interface WindowRow<V> {
  readonly start: Millis;
  /** Of cumulative and calendar windows, which differ in size. */
  readonly end?: Millis;
  readonly value: V;
}

export interface QueryParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly specs: readonly TaskSpec[];
  /** Asks the workers that have these tasks; fails for those that none has. */
  ask(request: StoreRequest): Promise<readonly FoundRow[]>;
}

const DEFAULT_LIMIT = 1000;

/** What each kind of store answers. */
const ANSWERS: { readonly [Kind in StoreKind]: readonly StoreQuestion['kind'][] } = {
  'key-value': ['get', 'range'],
  window: ['window', 'range'],
  session: ['session'],
  versioned: ['get', 'asOf'],
  history: [],
  buffer: [],
  join: [],
  pending: [],
  calls: [],
  global: ['get', 'range'],
  subscription: [],
  leavings: [],
};

/** Rows of windows of one size lie by key and start, those of others by key, end and start. */
function questionsOf({ kind, key, name }: PlanStore, writer: PlanNode): readonly StoreQuestion['kind'][] {
  if (writer.kind === 'aggregate' && writer.beside === name) return [];
  if (kind !== 'key-value') return ANSWERS[kind];
  if (key.startsWith('windowed(')) return [...ANSWERS[kind], 'window'];
  return key.startsWith('sessionWindowed(') ? [...ANSWERS[kind], 'session'] : ANSWERS[kind];
}

export function createQuery(parts: QueryParts): Query {
  return {
    store<K, V>(name: string): StoreQuery<K, V> {
      const { stores } = parts.index;
      const store = stores.get(name);
      if (store === undefined) {
        const names = [...stores.keys()].join(', ') || 'none';
        throw new FlowError(
          'query.invalid',
          `store ${name} is not part of ${parts.program.plan.name}; it has ${names}`,
        );
      }
      return new PlanStoreQuery<K, V>(parts, store);
    },
  };
}

function encoded<T>(serde: Serde<T>, value: T): Bytes {
  const out = new ByteWriter(64);
  serde.encode(value, out);
  return out.take();
}

class PlanStoreQuery<K, V> implements StoreQuery<K, V> {
  readonly #parts: QueryParts;
  readonly #store: PlanStore;
  /** None of a global table. */
  readonly #stage: Stage | undefined;
  readonly #key: Serde<K>;
  readonly #value: Serde<V>;

  constructor(parts: QueryParts, store: PlanStore) {
    this.#parts = parts;
    this.#store = store;
    this.#stage = parts.program.plan.stages.find(({ stores }) => stores.includes(store.name));
    this.#key = parts.program.code.serde(store.key) as Serde<K>;
    this.#value = parts.program.code.stored(store) as Serde<V>;
  }

  async get(key: K, options: ReadOptions): Promise<V | undefined> {
    this.#check('get');
    const [row] = await this.#ofKey({ kind: 'get', key: this.#encoded(key) }, options);
    return row === undefined ? undefined : this.#valueOf(row);
  }

  async range(from: K | undefined, to: K | undefined, options: RangeOptions<K>) {
    this.#check('range');
    const { after, window } = options;
    const limit = this.#checkedLimit(options.limit);
    const isWindowed = this.#store.kind === 'window';
    if (isWindowed !== (window !== undefined)) {
      const cure = isWindowed
        ? 'give `window`, the start of the one that is meant, or the end of a cumulative or calendar one'
        : 'leave `window` out';
      throw this.#wrong(`a range of ${isWindowed ? 'a window store is of one window' : 'it has no windows'}; ${cure}`);
    }
    const [first, last, behind] = [from, to, after].map((key) => (key === undefined ? undefined : this.#encoded(key)));
    const question = { kind: 'range' as const, from: first, to: last, after: behind, window, limit };
    const rows = await this.#ask(question, options, this.#tasks());
    return [...rows]
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .slice(0, limit)
      .map((row) => [this.#key.read(row.key, 0, row.key.length), this.#valueOf(row)] as const);
  }

  async window(key: WindowKey<K>, from: Millis, to: Millis, options: TimesOptions): Promise<readonly WindowRow<V>[]> {
    this.#check('window');
    const limit = this.#checkedLimit(options.limit ?? DEFAULT_LIMIT);
    const rows = await this.#ofKey({ kind: 'window', key: this.#inner(key), from, to, limit }, options);
    return rows.map((row) => ({
      start: row.start!,
      ...(row.end === null ? {} : { end: row.end }),
      value: this.#valueOf(row),
    }));
  }

  async session(key: WindowKey<K>, from: Millis, to: Millis, options: TimesOptions): Promise<readonly Session<V>[]> {
    this.#check('session');
    const limit = this.#checkedLimit(options.limit ?? DEFAULT_LIMIT);
    const rows = await this.#ofKey({ kind: 'session', key: this.#inner(key), from, to, limit }, options);
    return rows.map((row) => ({ start: row.start!, end: row.end!, value: this.#valueOf(row) }));
  }

  async asOf(key: K, at: Millis, options: ReadOptions): Promise<Version<V> | undefined> {
    this.#check('asOf');
    const [row] = await this.#ofKey({ kind: 'asOf', key: this.#encoded(key), at }, options);
    if (row === undefined) return undefined;
    return { value: this.#valueOf(row), validFrom: row.start!, validTo: row.end };
  }

  /** Asks the task that has the key, or all of them where the plan does not say which that is. */
  #ofKey(question: StoreQuestion & { readonly key: Bytes }, options: ReadOptions): Promise<readonly FoundRow[]> {
    const tasks = this.#tasks();
    const partitions = this.#partitions(question.kind);
    if (partitions === undefined) return this.#ask(question, options, tasks);
    const partition = partitionForKey(question.key, 0, question.key.length, partitions);
    return this.#ask(question, options, [tasks[partition]!]);
  }

  async #ask(question: StoreQuestion, { read, partition }: ReadOptions, all: readonly TaskSpec[]) {
    const tasks = partition === undefined ? all : all.filter((task) => task.partition === partition);
    if (partition !== undefined && tasks.length === 0 && all.length > 0) {
      throw this.#wrong(`there is no partition ${partition} among those that may have the answer`);
    }
    if (read !== 'live' && read !== 'committed') {
      throw this.#wrong('say with `read` whether `live` or `committed` rows are meant');
    }
    return this.#parts.ask({ store: this.#store.name, tasks: tasks.map(({ id }) => id), read, question });
  }

  #check(question: StoreQuestion['kind']): void {
    const questions = questionsOf(this.#store, this.#writer);
    if (questions.includes(question)) return;
    const answers = questions.join(' and ');
    const cure = answers === '' ? 'its rows are its operator’s alone' : `ask by ${answers}`;
    throw this.#wrong(`it is a ${this.#store.kind} store, which ${question} does not ask; ${cure}`);
  }

  get #writer(): PlanNode {
    return this.#parts.index.nodes.get(this.#store.nodes[0]!)!;
  }

  #tasks(): readonly TaskSpec[] {
    return this.#parts.specs.filter(({ stage }) => stage === this.#stage?.id);
  }

  /** How many partitions the keys of the store are spread over by their hash; `undefined` where that is not so. */
  #partitions(kind: StoreQuestion['kind']): number | undefined {
    const { index } = this.#parts;
    if (this.#stage === undefined) return undefined;
    const { connector, partitions: count, reads } = this.#stage;
    const writer = this.#writer;
    const topics = reads.map((topic) => index.topics.get(topic)!);
    // tables keep a row under the key of the record that they took, others under any key; records of windows lie by the
    // key inside
    const isOfWindow = 'inner' in this.#key && kind !== 'window' && kind !== 'session';
    const isPlain =
      ownStore(writer) === this.#store.name && (!('inner' in this.#key) || writer.kind === 'aggregate') && !isOfWindow;
    if (!isPlain || connector !== null) return undefined;
    const isSpread = topics.every(({ partitioner, partitions }) => partitioner === 'key' && partitions === count);
    return isSpread ? count : undefined;
  }

  #encoded(key: K): Bytes {
    return encoded(this.#key, key);
  }

  /** The key of which the windows are asked for. */
  #inner(key: unknown): Bytes {
    return encoded('inner' in this.#key ? (this.#key.inner as Serde<unknown>) : (this.#key as Serde<unknown>), key);
  }

  #valueOf({ value }: FoundRow): V {
    return this.#value.read(value, 0, value.length);
  }

  #checkedLimit(limit: number): number {
    if (Number.isSafeInteger(limit) && limit > 0) return limit;
    throw this.#wrong(`a limit is a whole number from 1 on, not ${limit}`);
  }

  #wrong(why: string): FlowError {
    return new FlowError('query.invalid', `store ${this.#store.name}: ${why}`);
  }
}
