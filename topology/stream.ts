import type { Serde } from '../schemas/schemas.ts';
import { addLookup, addMapAsync, type Lookup, type MapAsync } from './add-calls.ts';
import { addJoinGlobal, type Named } from './add-global.ts';
import { addJoinStreams } from './add-join-streams.ts';
import { addJoinTable, type JoinTableCall } from './add-join-table.ts';
import { addLate } from './add-late.ts';
import { addRepartition } from './add-repartition.ts';
import { addDeduplicate, addDifference } from './add-stream-state.ts';
import type { JoinGlobalOptions } from './global-handles.ts';
import type { ProcessOptions, RepartitionOptions, StreamJoinOptions, ToTableOptions } from './handles.ts';
import type { PlanNode } from './plan.ts';
import type { Scheme } from './scheme.ts';
import type { DeduplicateOptions, DifferenceOptions } from './stream-state.ts';
import { tableKind } from './table-kind.ts';
import type { Sink } from './topic.ts';
import type { Lambda, Place, Stored, Wire } from './wire.ts';

type Repartition = RepartitionOptions<unknown, unknown, number>;
type StreamJoin = StreamJoinOptions<unknown, unknown, Lambda>;
type JoinGlobal = JoinGlobalOptions<Lambda, Lambda>;
type OneLambda = 'map' | 'mapValues' | 'flatMap' | 'flatMapValues' | 'selectKey' | 'peek' | 'forEach';

/** `Stream` of `handles.ts`. */
export class StreamHandle implements Place {
  readonly id: string;
  readonly partitions: Scheme;
  readonly #wire: Wire;

  constructor(wire: Wire, at: Place) {
    this.#wire = wire;
    this.id = at.id;
    this.partitions = at.partitions;
    Object.freeze(this);
  }

  filter(keep: Lambda): Place {
    return this.#filter(keep, false);
  }

  filterNot(drop: Lambda): Place {
    return this.#filter(drop, true);
  }

  map(fn: Lambda): Place {
    return this.#lambda('map', fn, { key: null, value: null, partitions: 'stale' });
  }

  mapValues(fn: Lambda): Place {
    return this.#lambda('mapValues', fn, { key: this.#node.key, value: null, partitions: this.partitions });
  }

  flatMap(fn: Lambda): Place {
    return this.#lambda('flatMap', fn, { key: null, value: null, partitions: 'stale' });
  }

  flatMapValues(fn: Lambda): Place {
    return this.#lambda('flatMapValues', fn, { key: this.#node.key, value: null, partitions: this.partitions });
  }

  selectKey(fn: Lambda): Place {
    return this.#lambda('selectKey', fn, { key: null, value: this.#node.value, partitions: 'stale' });
  }

  peek(look: Lambda): Place {
    return this.#lambda('peek', look, { ...this.#same, partitions: this.partitions });
  }

  forEach(look: Lambda): void {
    this.#lambda('forEach', look, { ...this.#same, partitions: this.partitions });
  }

  branch(arms: { readonly [name: string]: Lambda | true }): { readonly [name: string]: Place } {
    const { builder } = this.#wire;
    const id = builder.ids.unnamed('branch', this.id);
    const rows = Object.entries(arms).map(([name, fn]) => ({
      name,
      fn: fn === true ? null : builder.fn(id, name, fn),
    }));
    builder.add({ kind: 'branch', id, inputs: [this.id], ...this.#same, arms: rows });
    const streams = rows.map(({ name }) => {
      const arm = builder.ids.below('arm', this.id, name);
      builder.add({ kind: 'arm', id: arm, inputs: [id], ...this.#same, arm: name });
      return [name, this.#stream(arm)] as const;
    });
    return Object.freeze(Object.fromEntries(streams));
  }

  merge(other: Place): Place {
    const { builder } = this.#wire;
    const id = builder.ids.unnamed('merge', this.id);
    const second = builder.node(other.id);
    const key = this.#node.key === second.key ? second.key : null;
    const value = this.#node.value === second.value ? second.value : null;
    builder.add({ kind: 'merge', id, inputs: [this.id, other.id], key, value });
    return this.#stream(id, this.partitions === other.partitions ? this.partitions : 'stale');
  }

  groupBy(fn: Lambda, options: Repartition): Place {
    const keyed = this.selectKey(fn);
    return this.#wire.grouped(this.#repartition(keyed.id, options));
  }

  groupByKey(): Place {
    return this.#wire.grouped(this);
  }

  repartition(options: Repartition): Place {
    return this.#wire.stream(this.#repartition(this.id, options));
  }

  toTable(options: ToTableOptions<unknown>): Place {
    const { builder } = this.#wire;
    const id = builder.ids.named('toTable', options.store);
    const { key } = this.#node;
    const value = this.#serdeOr(options.value, this.#node);
    const store = { name: options.store, ...tableKind(options.store, options), key: key ?? '', value: value ?? '' };
    builder.store(store, id);
    builder.add({ kind: 'toTable', id, inputs: [this.id], key, value, store: options.store });
    return this.#wire.table({ id, partitions: this.partitions }, options.store);
  }

  joinTable(table: Stored, options: JoinTableCall): Place {
    return this.#stream(addJoinTable(this.#wire.builder, 'inner', this, table, options));
  }

  leftJoinTable(table: Stored, options: JoinTableCall): Place {
    return this.#stream(addJoinTable(this.#wire.builder, 'left', this, table, options));
  }

  joinStream(other: Place, options: StreamJoin): Place {
    return this.#stream(addJoinStreams(this.#wire.builder, this.id, other.id, 'inner', options));
  }

  leftJoinStream(other: Place, options: StreamJoin): Place {
    return this.#stream(addJoinStreams(this.#wire.builder, this.id, other.id, 'left', options));
  }

  outerJoinStream(other: Place, options: StreamJoin): Place {
    return this.#stream(addJoinStreams(this.#wire.builder, this.id, other.id, 'outer', options));
  }

  /** Of `LateStream` alone. */
  late(): Place {
    return this.#stream(addLate(this.#wire.builder, this.id));
  }

  deduplicate(options: DeduplicateOptions<unknown, unknown>): Place {
    return this.#stream(addDeduplicate(this.#wire.builder, this.id, options));
  }

  difference(options: DifferenceOptions<unknown, unknown, unknown>): Place {
    return this.#stream(addDifference(this.#wire.builder, this.id, options));
  }

  joinGlobal(table: Named, options: JoinGlobal): Place {
    return this.#stream(addJoinGlobal(this.#wire.builder, 'inner', this, table, options));
  }

  leftJoinGlobal(table: Named, options: JoinGlobal): Place {
    return this.#stream(addJoinGlobal(this.#wire.builder, 'left', this, table, options));
  }

  mapAsync(options: MapAsync): Place {
    return this.#stream(addMapAsync(this.#wire.builder, this.id, options));
  }

  lookup(options: Lookup): Place {
    return this.#stream(addLookup(this.#wire.builder, 'inner', this.id, options));
  }

  leftLookup(options: Lookup): Place {
    return this.#stream(addLookup(this.#wire.builder, 'left', this.id, options));
  }

  process(options: ProcessOptions<unknown, unknown, unknown, unknown>): Place {
    return this.#process(options, true);
  }

  processValues(options: ProcessOptions<unknown, unknown, unknown, unknown>): Place {
    return this.#process(options, false);
  }

  to(topic: Sink<never, never>): void {
    const { builder } = this.#wire;
    const name = builder.userTopic(topic);
    const id = builder.ids.below('to', this.id, name);
    const serdes = { key: topic.keySerde.name, value: topic.valueSerde.name };
    builder.add({ kind: 'to', id, inputs: [this.id], ...serdes, topic: name, partitioner: 'key' });
  }

  via<R>(operator: (stream: this) => R): R {
    return operator(this);
  }

  get #node(): PlanNode {
    return this.#wire.builder.node(this.id);
  }

  get #same(): { readonly key: string | null; readonly value: string | null } {
    return { key: this.#node.key, value: this.#node.value };
  }

  #stream(id: string, partitions: Scheme = this.partitions): Place {
    return this.#wire.stream({ id, partitions });
  }

  #serdeOr(given: Serde<unknown> | undefined, before: PlanNode): string | null {
    return given === undefined ? before.value : this.#wire.builder.serde(given);
  }

  #filter(fn: Lambda, not: boolean): Place {
    const { builder } = this.#wire;
    const id = builder.ids.unnamed('filter', this.id);
    builder.add({ kind: 'filter', id, inputs: [this.id], ...this.#same, fn: builder.fn(id, 'fn', fn), not });
    return this.#stream(id);
  }

  #lambda(kind: OneLambda, fn: Lambda, out: { key: string | null; value: string | null; partitions: Scheme }): Place {
    const { builder } = this.#wire;
    const id = builder.ids.unnamed(kind, this.id);
    const { key, value, partitions } = out;
    builder.add({ kind, id, inputs: [this.id], key, value, fn: builder.fn(id, 'fn', fn) });
    return this.#stream(id, partitions);
  }

  #repartition(input: string, options: Repartition): Place {
    const { builder } = this.#wire;
    const { name, partitions } = options;
    const key = builder.serde(options.key);
    const value = this.#serdeOr(options.value, builder.node(input));
    return { id: addRepartition(builder, input, name, partitions, { key, value }), partitions };
  }

  #process(options: ProcessOptions<unknown, unknown, unknown, unknown>, rekeys: boolean): Place {
    const { builder } = this.#wire;
    const id = builder.ids.named('process', options.name);
    const stores = (options.stores ?? []).map((store) => {
      const { name, kind, retentionMs } = store;
      const serdes = { key: builder.serde(store.keySerde), value: builder.serde(store.valueSerde) };
      return builder.store({ name, kind, ...serdes, retentionMs }, id);
    });
    const key = options.key === undefined ? this.#node.key : builder.serde(options.key);
    const value = options.value === undefined ? null : builder.serde(options.value);
    const supplier = builder.fn(id, 'supplier', options.supplier);
    builder.add({ kind: 'process', id, inputs: [this.id], key, value, supplier, stores, rekeys });
    return this.#stream(id, rekeys ? 'stale' : this.partitions);
  }
}
