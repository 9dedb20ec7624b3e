import { assert } from '../core/assert.ts';
import type { Serde } from '../schemas/schemas.ts';
import { refOfExpression } from './expr.ts';
import { NodeIds } from './node-ids.ts';
import { nullKeysOf } from './null-keys.ts';
import { partitionings, sinkPartitioner } from './partitioning.ts';
import {
  type CodeRef,
  historyOf,
  PLAN_FORMAT,
  type Plan,
  type PlanNode,
  type PlanStore,
  type PlanTopic,
} from './plan.ts';
import type { Code, Program } from './program.ts';
import { splitStages } from './split.ts';
import { storesBehind } from './table-rows.ts';
import type { Sink } from './topic.ts';

/**
 * Collects what front ends say: nodes in order, topics, stores, and the code beside them. It judges nothing;
 * what is said twice and differs stands twice in the plan, for `validate.ts` to tell.
 */
export class PlanBuilder {
  readonly name: string;
  readonly ids = new NodeIds();
  readonly #nodes: PlanNode[] = [];
  readonly #byId = new Map<string, PlanNode>();
  readonly #topics = new Map<string, PlanTopic>();
  readonly #stores = new Map<string, { readonly store: Omit<PlanStore, 'nodes'>; readonly nodes: string[] }>();
  readonly #functions = new Map<CodeRef, unknown>();
  readonly #serdes = new Map<string, Serde<unknown>>();

  constructor(name: string) {
    this.name = name;
  }

  /** Appends a node; answers its id. */
  add(node: PlanNode): string {
    this.#nodes.push(node);
    this.#byId.set(node.id, node);
    return node.id;
  }

  node(id: string): PlanNode {
    const node = this.#byId.get(id);
    assert(node !== undefined, () => `node ${id} was never added`);
    return node;
  }

  /** All nodes so far, by id. */
  get nodes(): ReadonlyMap<string, PlanNode> {
    return this.#byId;
  }

  /** Keeps a function; answers its reference. An expression is its own. */
  fn(id: string, role: string, code: unknown): CodeRef {
    const expression = refOfExpression(code);
    if (expression !== undefined) return expression;
    const ref = `${id}/${role}`;
    if (!this.#functions.has(ref)) this.#functions.set(ref, code);
    return ref;
  }

  /** The code behind a reference, or `undefined`. */
  code(ref: CodeRef): unknown {
    return this.#functions.get(ref);
  }

  /** Keeps a serde; answers its name. */
  serde(serde: Serde<unknown>): string {
    if (!this.#serdes.has(serde.name)) this.#serdes.set(serde.name, serde);
    return serde.name;
  }

  serdeNamed(name: string): Serde<unknown> | undefined {
    return this.#serdes.get(name);
  }

  topic(topic: PlanTopic): string {
    this.#topics.set(JSON.stringify(topic), topic);
    return topic.name;
  }

  userTopic(topic: Sink<never, never>): string {
    return this.topic({
      name: topic.name,
      partitions: topic.partitions,
      key: this.serde(topic.keySerde),
      value: this.serde(topic.valueSerde),
      internal: false,
      partitioner: topic.partitioner,
    });
  }

  /** Notes that a node uses a store, and with a versioned one the history beside it. */
  store(store: Omit<PlanStore, 'nodes'>, user: string): string {
    if (store.kind === 'versioned') this.#use({ ...store, name: historyOf(store.name), kind: 'history' }, user);
    return this.#use(store, user);
  }

  #use({ name, kind, key: keys, value, retentionMs }: Omit<PlanStore, 'nodes'>, user: string): string {
    const store = { name, kind, key: keys, value, retentionMs };
    const key = JSON.stringify(store);
    const known = this.#stores.get(key);
    if (known === undefined) this.#stores.set(key, { store, nodes: [user] });
    else if (!known.nodes.includes(user)) known.nodes.push(user);
    return store.name;
  }

  /** Notes that a node reads a store that another one writes. */
  reads(store: string, reader: string): void {
    for (const known of this.#stores.values()) {
      const { name, kind } = known.store;
      const isIt = name === store || (kind === 'history' && name === historyOf(store));
      if (isIt && !known.nodes.includes(reader)) known.nodes.push(reader);
    }
  }

  /** Notes that a node looks up rows of a table, wherever they are kept. */
  looksUp(table: string, reader: string): void {
    for (const store of storesBehind(table, (id) => this.#byId.get(id))) this.reads(store, reader);
  }

  plan(): Plan {
    const topics = sorted(this.#topics.values());
    const stores = sorted([...this.#stores.values()].map(({ store, nodes }) => ({ ...store, nodes })));
    const schemes = partitionings(this.#nodes, topics);
    const nullKeys = nullKeysOf(this.#nodes);
    const nodes = this.#nodes.map((node) => {
      if (node.kind === 'to') return { ...node, partitioner: sinkPartitioner(node, schemes, topics) };
      return node.kind === 'repartition' ? { ...node, nullKeys: nullKeys.get(node.id)! } : node;
    });
    return deepFreeze({
      format: PLAN_FORMAT,
      name: this.name,
      nodes,
      topics,
      stores,
      stages: splitStages({ nodes, topics, stores }),
    });
  }

  program(plan: Plan): Program {
    return Object.freeze({ plan, code: createCode(new Map(this.#functions), new Map(this.#serdes)) });
  }
}

function createCode(functions: ReadonlyMap<CodeRef, unknown>, serdes: ReadonlyMap<string, Serde<unknown>>): Code {
  const serde = (name: string): Serde<unknown> => {
    const found = serdes.get(name);
    assert(found !== undefined, () => `the program has no serde ${name}`);
    return found;
  };
  return Object.freeze({
    fn(ref: CodeRef): unknown {
      assert(functions.has(ref), () => `the program has no code for ${ref}`);
      return functions.get(ref);
    },
    serde,
    stored: ({ value }: PlanStore) => serde(value),
  });
}

function sorted<T extends { readonly name: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
