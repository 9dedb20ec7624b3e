import type { Serde, Windowed } from '../schemas/schemas.ts';
import type { ForeignTable, JoinForeignOptions } from './foreign-handles.ts';
import type { NewOrChanged } from './group-handles.ts';
import type { Stream } from './handles.ts';
import type { History, Joinable, Keyed, Rows, Scheme, Versions } from './scheme.ts';
import type { SuppressOptions, TimeLimitOptions, Unversioned } from './suppress-options.ts';

/**
 * The newest row per key. D is what a deletion looks like in its stream: aggregates of streams know none. H says whether
 * earlier versions of the rows are kept.
 *
 * What is made of tables keeps rows of its own only where it is given a `store`; else a row is made anew when somebody
 * looks it up. An update of a table goes on as it comes, whether or not the row differs from the one before.
 */
export interface Table<K, V, P extends Scheme, D = null, H extends History = 'none'>
  extends Keyed<K>,
    Rows<V>,
    Versions<H> {
  readonly id: string;
  readonly partitions: P;
  toStream(): Stream<K, V | D, P>;
  /**
   * Holds updates back, and lets only the newest of each key out: after a time, or when its window closes. Whoever looks
   * a row up finds what came out last while something is held back for it, else the row of this table, which has no
   * history.
   */
  suppress<O extends SuppressOptions<K, V>>(options: O & Unversioned<H>): Held<K, V, P, D, O>;

  /** The rows that the predicate takes; an update that it does not take deletes the row. */
  filter<W extends V>(keep: (value: V, key: K) => value is W, options?: FilterTableOptions<W>): Table<K, W, P, null, H>;
  filter(keep: (value: V, key: K) => boolean, options?: FilterTableOptions<V>): Table<K, V, P, null, H>;
  filterNot(drop: (value: V, key: K) => boolean, options?: FilterTableOptions<V>): Table<K, V, P, null, H>;
  /** Each row anew; null deletes it. Deletions pass by the function. */
  mapValues<V2>(
    fn: (value: V, key: K) => V2,
    options?: KeptRows<NonNullable<V2>>,
  ): Table<K, NonNullable<V2>, P, null, H>;

  /**
   * The rows under other keys, through an internal topic, to be aggregated: an update first takes the old row away
   * from its group, then adds the new one. A null key or value is in no group.
   */
  groupBy<K2, V2, const N extends number>(
    fn: (value: V, key: K) => readonly [key: K2 | null, value: V2 | null],
    options: GroupTableOptions<K2, V2, N>,
  ): GroupedTable<K2, V2, N>;

  /** A row where both tables have one. */
  joinTable<W, R>(
    other: Joinable<K, W, P>,
    options: JoinTablesOptions<(value: V, other: W, key: K) => R, R>,
  ): Table<K, NonNullable<R>, P>;
  /** A row where this table has one; `merge` gets null where the other has none. */
  leftJoinTable<W, R>(
    other: Joinable<K, W, P>,
    options: JoinTablesOptions<(value: V, other: W | null, key: K) => R, R>,
  ): Table<K, NonNullable<R>, P>;
  /** A row where one of them has one; `merge` gets null for the other. */
  outerJoinTable<W, R>(
    other: Joinable<K, W, P>,
    options: JoinTablesOptions<(value: V | null, other: W | null, key: K) => R, R>,
  ): Table<K, NonNullable<R>, P>;

  /**
   * A row where the other table has one under the foreign key that this row names; many rows may name one. The tables may
   * differ in keys and partition counts: rows find each other through two internal topics, and an update of the other
   * table reaches all rows that name it. Rows of the join can be looked up only where it has a `store`.
   */
  joinForeign<F, W, R>(
    other: ForeignTable<F, W>,
    options: JoinForeignOptions<(value: V, key: K) => NoInfer<F> | null, (value: V, other: W, key: K) => R, R>,
  ): Table<K, NonNullable<R>, P>;
  /** A row where this table has one; `merge` gets null where the other has none, or where no foreign key is named. */
  leftJoinForeign<F, W, R>(
    other: ForeignTable<F, W>,
    options: JoinForeignOptions<(value: V, key: K) => NoInfer<F> | null, (value: V, other: W | null, key: K) => R, R>,
  ): Table<K, NonNullable<R>, P>;
}

export interface KeptRows<V> {
  /** Keeps the rows in a store of this name. */
  readonly store?: string;
  /** The format of the rows in the store: needed with it where the value was made by a lambda. */
  readonly value?: Serde<V>;
}

export interface FilterTableOptions<V> extends KeptRows<V> {
  /**
   * `known`, the default: deletions of rows that were not taken before end at the filter, which looks at the old value
   * of each update. `all`: they go on, and the old value is read only where something behind needs it.
   */
  readonly deletions?: 'known' | 'all';
}

export interface JoinTablesOptions<Merge, R> extends KeptRows<NonNullable<R>> {
  /** Null deletes the row. */
  readonly merge: Merge;
  readonly name?: string;
}

export interface GroupTableOptions<K, V, N extends number> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly partitions: N;
}

/** A table under other keys, before its aggregate. `subtract` undoes what `add` did with the same value. */
export interface GroupedTable<K, V, P extends Scheme> {
  /** The number of rows of a group; 0 stays where there were some. */
  count(options: CountTableOptions): Table<K, number, P>;
  /** The first value of a group stands as it is; each further one is added to it. */
  reduce(options: ReduceTableOptions<K, V>): Table<K, V, P>;
  aggregate<A>(options: AggregateTableOptions<K, V, A>): Table<K, A, P>;
}

export interface CountTableOptions {
  readonly store: string;
}

/** Adder and subtractor answer the new aggregate, or change the given one in place and answer nothing. */
export interface ReduceTableOptions<K, V> extends CountTableOptions {
  readonly value: Serde<V>;
  readonly add: (aggregate: V, value: V, key: K) => NewOrChanged<V>;
  readonly subtract: (aggregate: V, value: V, key: K) => NewOrChanged<V>;
}

export interface AggregateTableOptions<K, V, A> extends CountTableOptions {
  readonly value: Serde<A>;
  readonly initial: () => A;
  readonly add: (aggregate: A, value: V, key: K) => NewOrChanged<A>;
  readonly subtract: (aggregate: A, value: V, key: K) => NewOrChanged<A>;
}

/** `In` is what goes into the windows. */
export interface WindowedTable<K, V, P extends Scheme, D = never, In = unknown> extends Table<Windowed<K>, V, P, D> {
  /** The records that came when a window of theirs had closed, as they came: under their own key. */
  late(): Stream<K, In, P>;
  /**
   * Without options, only the final row of each window, when it closes, from the rows that the aggregate holds anyway.
   * As in Kafka Streams, sliding windows and sessions of one gap are given out when stream time reaches their last
   * moment, and once more if a further record of that moment comes; `emitOnClose()` gives them out once, when it is
   * past. With options, as on every table.
   */
  suppress<O extends SuppressOptions<Windowed<K>, V> | undefined = undefined>(
    options?: O,
  ): Held<Windowed<K>, V, P, D, O>;
}

/** Final rows can be looked up where they wait in a buffer, as they do in a store of their own. */
export type Held<K, V, P extends Scheme, D, O> =
  O extends TimeLimitOptions<V>
    ? Table<K, V, P, D>
    : O extends { readonly store: string }
      ? Table<K, V, P, never>
      : SuppressedTable<K, V, P, never>;

/**
 * Final rows that an aggregate of windows gives out itself, without a buffer; the calls make of them what they make of a
 * table. Nobody can look into them, so they join with nothing: `suppress` with a `store` has a buffer to look into, and
 * `toStream().toTable(...)` keeps what came out.
 */
export interface SuppressedTable<K, V, P extends Scheme, D = null> {
  readonly id: string;
  readonly partitions: P;
  toStream(): Stream<K, V | D, P>;
  suppress<O extends SuppressOptions<K, V>>(
    options: O,
  ): SuppressedTable<K, V, P, O extends TimeLimitOptions<V> ? D : never>;
  filter<W extends V>(keep: (value: V, key: K) => value is W, options?: SuppressedFilter): SuppressedTable<K, W, P>;
  filter(keep: (value: V, key: K) => boolean, options?: SuppressedFilter): SuppressedTable<K, V, P>;
  filterNot(drop: (value: V, key: K) => boolean, options?: SuppressedFilter): SuppressedTable<K, V, P>;
  mapValues<V2>(fn: (value: V, key: K) => V2): SuppressedTable<K, NonNullable<V2>, P>;
  groupBy<K2, V2, const N extends number>(
    fn: (value: V, key: K) => readonly [key: K2 | null, value: V2 | null],
    options: GroupTableOptions<K2, V2, N>,
  ): GroupedTable<K2, V2, N>;
}

export type SuppressedFilter = Pick<FilterTableOptions<unknown>, 'deletions'>;

/** Final rows of windows. */
export type FinalTable<K, V, P extends Scheme> = SuppressedTable<Windowed<K>, V, P, never>;
