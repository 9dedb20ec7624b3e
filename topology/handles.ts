import type { Duration } from '../core/duration.ts';
import type { Json, Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { LookupOptions, MapAsyncOptions } from './call-handles.ts';
import type { GlobalTable, GlobalTableOptions, JoinGlobalOptions } from './global-handles.ts';
import type { Grouped } from './group-handles.ts';
import type { AbsurdTimePolicy, FailurePolicy } from './plan.ts';
import type { Program } from './program.ts';
import type { Flow, GraceOf, History, Joinable, JoinableStream, Keyed, Scheme, Settled } from './scheme.ts';
import type { AnyStore } from './stores.ts';
import type { DeduplicateOptions, DifferenceOptions } from './stream-state.ts';
import type { Table } from './table-handles.ts';
import type { Sink, Topic } from './topic.ts';

/**
 * The typed handles: what a user holds. Each method adds one frozen node to the plan (`groupBy` two) and answers
 * a handle on it; nothing runs. Lambdas get `(value, key)`. Both may be flyweights over the record's bytes, valid
 * during the call: to keep one, copy it (`toPlain`). Lambdas are synchronous, and a record may come again after a
 * cold read, so they do nothing but compute.
 *
 * Mistakes that the compiler cannot see are collected and told by `build()`, all in one error.
 */

/** Declares what runs: sources, then what is done with them, then `build()`. */
export interface Topology {
  readonly name: string;
  /** The records of a topic. Asked again with equal options, it answers the same source. */
  stream<K, V, N extends number>(topic: Topic<K, V, N>, options?: StreamOptions<K, V>): Stream<K, V, N>;
  /** The newest value per key of a topic, kept in a store; a null value deletes. */
  table<K, V, N extends number, H extends Duration | undefined = undefined>(
    topic: Topic<K, V, N>,
    options: TableOptions<H>,
  ): Table<K, V, N, null, HistoryOf<H>>;
  /**
   * The newest value per key of a whole topic, for look-ups by any key: each worker holds a copy in memory. It is loaded
   * before any record is processed, and then follows the topic.
   */
  globalTable<K, V, N extends number>(
    topic: Topic<K, V, N>,
    options: GlobalTableOptions,
  ): GlobalTable<K, NonNullable<V>>;
  /**
   * The records of a connector. Its splits are its own, so what comes is `'stale'`: write it `.to(topic)` or
   * `.repartition(...)` before anything that keeps state.
   */
  read<T, K>(source: SourceLike<T>, options: ReadOptions<T, K>): Stream<K, T, 'stale'>;
  /** The plan and its code, frozen. Throws one `FlowError('plan.invalid')` that lists every fault. */
  build(): Program;
}

export interface StreamOptions<K, V> {
  /** Event time of a record; default: its timestamp in the topic. */
  readonly time?: (value: V, key: K) => Millis;
  /** How far one record may move the time of its partition; default: as far as it likes. */
  readonly maxAhead?: Duration;
  /**
   * What becomes of a record whose time is negative, beyond 2^53, no number, or further ahead than `maxAhead`; default
   * `skip`, counted by reason. `clamp` brings it within bounds.
   */
  readonly onAbsurdTime?: AbsurdTimePolicy;
  /** How its records tell the time of the stages that read it. Default: each operator goes by the records it gets. */
  readonly watermark?: WatermarkOptions;
  /** Waits where it is ahead of other sources. */
  readonly align?: AlignOptions;
  /** What happens to a record that cannot be decoded; default `fail`. */
  readonly onUndecodable?: FailurePolicy;
}

export interface WatermarkOptions {
  /** How much older than the newest of its partition a record may be and not be late. */
  readonly maxOutOfOrderness: Duration;
  /** How long a partition has nothing to read before it no longer holds time back; default: as the run says. */
  readonly idle?: Duration;
}

export interface AlignOptions {
  /** Sources of one group go together. */
  readonly group: string;
  /** How far ahead of the slowest of its group a partition is read. */
  readonly maxDrift: Duration;
}

export interface TableOptions<H extends Duration | undefined = Duration | undefined> extends HistoryOptions<H> {
  readonly store: string;
  readonly onUndecodable?: FailurePolicy;
}

export interface HistoryOptions<H extends Duration | undefined> {
  /**
   * Keeps the versions of each row that were valid within this span, and answers joins as of the time of their record.
   * The span counts back from the largest time that was put into the table. What comes behind a newer update of its key is
   * stored and passed on, and left alone by joins and aggregates of tables; what is older than the span is dropped.
   */
  readonly history?: H;
}

export type HistoryOf<H extends Duration | undefined> = [H] extends [undefined] ? 'none' : 'kept';

/** What a plan needs to know of a connector; `Source<T>` of `connectors/` is one. */
export interface SourceLike<T> {
  readonly description: Json;
  readonly bounded: boolean;
  open(...split: never[]): Promise<{ next(max: number): Promise<{ at(index: number): T } | undefined> }>;
}

export interface ReadOptions<T, K> {
  readonly name: string;
  readonly key: (value: T) => K;
  readonly keySerde: Serde<K>;
  readonly value: Serde<T>;
  readonly time: (value: T) => Millis;
}

export interface Stream<K, V, P extends Scheme> extends Keyed<K>, Flow<V> {
  readonly id: string;
  /** The literal count, or `'stale'` after the key changed. */
  readonly partitions: P;

  filter<W extends V>(keep: (value: V, key: K) => value is W): Stream<K, W, P>;
  filter(keep: (value: V, key: K) => boolean): Stream<K, V, P>;
  filterNot(drop: (value: V, key: K) => boolean): Stream<K, V, P>;
  /** A new key and a new value. */
  map<K2, V2>(fn: (value: V, key: K) => readonly [key: K2, value: V2]): Stream<K2, V2, 'stale'>;
  mapValues<V2>(fn: (value: V, key: K) => V2): Stream<K, V2, P>;
  /** Any number of new records for one. */
  flatMap<K2, V2>(fn: (value: V, key: K) => Iterable<readonly [key: K2, value: V2]>): Stream<K2, V2, 'stale'>;
  /** Any number of new values for one, each under the key it came with. */
  flatMapValues<V2>(fn: (value: V, key: K) => Iterable<V2>): Stream<K, V2, P>;
  selectKey<K2>(fn: (value: V, key: K) => K2): Stream<K2, V, 'stale'>;
  /** Looks at each record and passes it on. It may see a record again after a cold read or a crash. */
  peek(look: (value: V, key: K) => void): Stream<K, V, P>;
  /** Looks at each record, which goes no further. It may see a record again, as `peek` may. */
  forEach(look: (value: V, key: K) => void): void;
  /** Each record goes to the first arm, in the order written, that takes it; `true` takes every one. */
  branch<const A extends Arms<K, V>>(arms: A): Branches<K, V, P, A>;
  /** The records of both, in the order of processing. */
  merge<V2, P2 extends Scheme>(other: Stream<K, V2, P2>): Stream<K, V | V2, Merged<P, P2>>;

  /** Changes the key, repartitions by it and groups. */
  groupBy<K2, const N extends number>(
    fn: (value: V, key: K) => K2,
    options: RepartitionOptions<K2, V, N>,
  ): Grouped<K2, V, N>;
  groupByKey(this: Settled<'groupByKey'>): Grouped<K, V, P>;
  /**
   * Through an internal topic, to the partition of the key. Null keys are dropped and counted, unless a left join
   * lies behind: then they go on, to any partition.
   */
  repartition<const N extends number>(options: RepartitionOptions<K, V, N>): Stream<K, V, N>;
  toTable<H extends Duration | undefined = undefined>(
    this: Settled<'toTable'>,
    options: ToTableOptions<V, H>,
  ): Table<K, V, P, null, HistoryOf<H>>;
  /**
   * With the row of the record's key as it stands when the record is processed; without a row: dropped. With the row
   * that was valid at the record's time where the table has a history.
   */
  joinTable<W, R, H extends History, G extends Duration | undefined = undefined>(
    this: Settled<'joinTable'>,
    table: Joinable<K, W, P, H>,
    options: JoinTableOptions<V, (value: V, row: W, key: K) => R, H> & { readonly grace?: G },
  ): Joined<K, R, P, V, G>;
  /** As `joinTable`, but without a row `merge` gets null. */
  leftJoinTable<W, R, H extends History, G extends Duration | undefined = undefined>(
    this: Settled<'leftJoinTable'>,
    table: Joinable<K, W, P, H>,
    options: JoinTableOptions<V, (value: V, row: W | null, key: K) => R, H> & { readonly grace?: G },
  ): Joined<K, R, P, V, G>;
  /**
   * Each pair of records of one key whose times are near: the right one at most `before` earlier and `after` later than
   * the left one, both ends included. The pair's time is the larger of both; its headers are those of the record that
   * came second. Records with a null value are dropped, since null says that a side is missing; those with a null key
   * too, since they have no partner.
   */
  joinStream<W, R>(
    this: Settled<'joinStream'>,
    other: JoinableStream<K, W, P>,
    options: StreamJoinOptions<V, W, (left: NonNullable<V>, right: NonNullable<W>, key: K) => R>,
  ): JoinedStream<K, R, P, V | W>;
  /**
   * As `joinStream`, and a left record that finds no partner comes once with null on the right: when stream time has
   * passed its window and the grace, at the first record that stands at stream time; at once where its window had passed
   * when it came, though a partner may still come within the grace, or where its key is null.
   */
  leftJoinStream<W, R>(
    this: Settled<'leftJoinStream'>,
    other: JoinableStream<K, W, P>,
    options: StreamJoinOptions<V, W, (left: NonNullable<V>, right: NonNullable<W> | null, key: K) => R>,
  ): JoinedStream<K, R, P, V | W>;
  /** As `leftJoinStream`, of both sides. */
  outerJoinStream<W, R>(
    this: Settled<'outerJoinStream'>,
    other: JoinableStream<K, W, P>,
    options: StreamJoinOptions<V, W, (left: NonNullable<V> | null, right: NonNullable<W> | null, key: K) => R>,
  ): JoinedStream<K, R, P, V | W>;
  /** Only the first of records that are the same, within a time. */
  deduplicate(this: Settled<'deduplicate'>, options: DeduplicateOptions<K, V>): LateStream<K, V, P, V>;
  /** What `fn` makes of each record and the previous one of its key; nothing for a first one. */
  difference<R>(this: Settled<'difference'>, options: DifferenceOptions<K, V, R>): LateStream<K, R, P, V>;
  /** With the row of a global table that the record names, as the copy at hand has it; without one: dropped. */
  joinGlobal<G, W, R>(
    table: GlobalTable<G, W>,
    options: JoinGlobalOptions<(value: V, key: K) => NoInfer<G> | null, (value: V, row: W, key: K) => R>,
  ): Stream<K, R, P>;
  /** As `joinGlobal`, but without a row, or where the record names none, `merge` gets null. */
  leftJoinGlobal<G, W, R>(
    table: GlobalTable<G, W>,
    options: JoinGlobalOptions<(value: V, key: K) => NoInfer<G> | null, (value: V, row: W | null, key: K) => R>,
  ): Stream<K, R, P>;
  /**
   * A new value by a function that takes time, such as a request to a service. Its calls are made side by side, beside
   * the processing. Each result counts once, though a call may be made again after a crash.
   */
  mapAsync<R>(options: MapAsyncOptions<K, V, R>): Stream<K, R, P>;
  /**
   * With the row that a function answers for the record's key, such as one of a database; without a row: dropped.
   * Answers are kept for a while.
   */
  lookup<W, R>(options: LookupOptions<K, V, W, (value: V, row: W, key: K) => R>): Stream<K, R, P>;
  /** As `lookup`, but without a row `merge` gets null. */
  leftLookup<W, R>(options: LookupOptions<K, V, W, (value: V, row: W | null, key: K) => R>): Stream<K, R, P>;
  /** A user operator with stores and timers. It may forward any key, so what follows is `'stale'`. */
  process<V2 = V, K2 = K>(options: ProcessOptions<K, V, K2, V2>): Stream<K2, V2, 'stale'>;
  /** A user operator that promises to forward each record under the key it came with. */
  processValues<V2 = V>(options: ProcessOptions<K, V, K, V2>): Stream<K, V2, P>;

  /** Writes to a topic, to the partition of the key; where key and count are those of the source, to its own. */
  to(topic: Sink<K, V>): void;
  /** Applies a function of the stream: user operators read like built-in ones. */
  via<R>(operator: (stream: this) => R): R;
}

/** What comes of an operator to which records may come too late. `In` is what goes into it. */
export interface LateStream<K, V, P extends Scheme, In> extends Stream<K, V, P> {
  /** The records that came too late, as they came. */
  late(): Stream<K, In, P>;
}

/** What two streams, or a stream and a table, were joined into. `In` is what comes from the streams. */
export interface JoinedStream<K, V, P extends Scheme, In> extends LateStream<K, V, P, In> {
  /**
   * The records that came too late to be kept for partners, or to wait for the table, as they came; they may have met
   * some all the same.
   */
  late(): Stream<K, In, P>;
}

/** A join with a table; without grace no record of it waits, and so none is late. */
export type Joined<K, V, P extends Scheme, In, G extends Duration | undefined> = [G] extends [undefined]
  ? Stream<K, V, P>
  : JoinedStream<K, V, P, In>;

export type Predicate<K, V> = (value: V, key: K) => boolean;
export type Arms<K, V> = { readonly [name: string]: Predicate<K, V> | true };
export type Branches<K, V, P extends Scheme, A> = {
  readonly [name in keyof A]: A[name] extends Guard<K, V, infer W> ? Stream<K, W, P> : Stream<K, V, P>;
};
export type Guard<K, V, W extends V> = (value: V, key: K) => value is W;
export type Merged<P extends Scheme, P2 extends Scheme> = [P, P2] extends [P2, P] ? P : 'stale';

export interface RepartitionOptions<K, V, N extends number> {
  readonly name: string;
  readonly key: Serde<K>;
  /** Needed where the value was made by a lambda. */
  readonly value?: Serde<V>;
  readonly partitions: N;
}

export interface ToTableOptions<V, H extends Duration | undefined = Duration | undefined> extends HistoryOptions<H> {
  readonly store: string;
  /** Needed where the value was made by a lambda. */
  readonly value?: Serde<NonNullable<V>>;
}

export interface JoinOptions<Merge> {
  readonly merge: Merge;
  readonly name?: string;
}

export type JoinTableOptions<V, Merge, H extends History> = JoinAtOnceOptions<Merge> | JoinGraceOptions<V, Merge, H>;

export interface JoinAtOnceOptions<Merge> extends JoinOptions<Merge> {
  readonly grace?: undefined;
}

export interface JoinGraceOptions<V, Merge, H extends History> extends JoinOptions<Merge> {
  /** Records wait in a store of this name. */
  readonly name: string;
  /**
   * Each record waits until the join has taken one that is later by this, so that updates of the table that are as late
   * as that still reach it. Records that come later than that are joined at once. At most the history of the table.
   */
  readonly grace: GraceOf[H];
  /** Needed where the value was made by a lambda. */
  readonly value?: Serde<NonNullable<V>>;
}

export interface StreamJoinOptions<V, W, Merge> {
  /** Its stores are named after it. */
  readonly name: string;
  readonly within: JoinWindow;
  readonly merge: Merge;
  /** Of the values of this stream while they wait; needed where they were made by a lambda. */
  readonly left?: Serde<V>;
  /** Of the values of the other stream. */
  readonly right?: Serde<W>;
}

/** Of two records of one key: how far their times may be apart. Together `before` and `after` are at least 0. */
export interface JoinWindow {
  /** How much earlier the right record may be; negative: how much later it must be. */
  readonly before: Duration;
  /** How much later the right record may be; negative: how much earlier it must be. */
  readonly after: Duration;
  /** How long records are kept beyond the window for late ones; default 0. */
  readonly grace?: Duration;
}

export interface ProcessOptions<K, V, K2, V2> {
  readonly name: string;
  /** Those it uses, with what other nodes own too: a store of equal name, kind and formats is the same store. */
  readonly stores?: readonly AnyStore[];
  /** Called once a task; answers the operator of that task. */
  readonly supplier: () => ProcessorLike<K, V, K2, V2>;
  /** What it forwards, where that goes on to a store or an internal topic; default for the key: as it came. */
  readonly key?: Serde<K2>;
  readonly value?: Serde<V2>;
}

/** What a plan needs to know of a user operator; `Processor` of `operators/` is one, and tells of its context. */
export interface ProcessorLike<K, V, K2, V2> {
  init?(context: Forwards<K2, V2>): void;
  process(value: V, key: K, context: Forwards<K2, V2>): void;
  close?(): void;
}

export interface Forwards<K, V> {
  forward(key: K, value: V): void;
}
