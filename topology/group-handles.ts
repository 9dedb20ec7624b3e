import type { Duration } from '../core/duration.ts';
import type { DistinctCount, Mean, Quantiles, Serde, TopItem, Windowed } from '../schemas/schemas.ts';
import type { Stream } from './handles.ts';
import type { DistinctOptions, QuantilesOptions, ReadyOptions, TopOptions } from './ready/ready-options.ts';
import type { Cogroupable, Keyed, Rows, Scheme } from './scheme.ts';
import type { Table, WindowedTable } from './table-handles.ts';
import type { Merging, Windows } from './window-handles.ts';

/** A stream grouped by its key, before its aggregate. */
export interface Grouped<K, V, P extends Scheme> extends Keyed<K>, Rows<V> {
  readonly id: string;
  readonly partitions: P;
  /** Null keys and, without windows, null values are dropped and counted. */
  count(options: CountOptions): Table<K, number, P, never>;
  /** The first value of a key stands as it is; each further one is added to it. */
  reduce(options: ReduceOptions<K, V>): Table<K, V, P, never>;
  aggregate<A>(options: AggregateOptions<K, V, A>): Table<K, A, P, never>;
  sum(options: ReadyOptions<K, V, number>): Table<K, number, P, never>;
  /** Infinity where there are no numbers; the largest, `max`, is then -Infinity. */
  min(options: ReadyOptions<K, V, number>): Table<K, number, P, never>;
  max(options: ReadyOptions<K, V, number>): Table<K, number, P, never>;
  mean(options: ReadyOptions<K, V, number>): Table<K, Mean, P, never>;
  /** About how many different values there are: HyperLogLog. */
  distinctCount(options: DistinctOptions<K, V>): Table<K, DistinctCount, P, never>;
  /** Quantiles of numbers with a bounded relative error: DDSketch. */
  quantiles(options: QuantilesOptions<K, V>): Table<K, Quantiles, P, never>;
  /** The k items with the largest scores, largest first. */
  topK(options: TopOptions<K, V>): Table<K, readonly TopItem[], P, never>;
  window<M extends Merging>(windows: Windows<V, K, M>): WindowedGroup<K, V, P, M>;
  /** Begins an aggregate of several streams, each added by a function of its own. */
  cogroup<A>(add: CogroupAdd<K, V, A>): Cogrouped<K, A, P>;
}

/** Grouped streams before the aggregate that they share. */
export interface Cogrouped<K, A, P extends Scheme> {
  cogroup<V>(other: Cogroupable<K, V, P>, add: CogroupAdd<K, V, A>): Cogrouped<K, A, P>;
  aggregate(options: CogroupOptions<A>): Table<K, A, P, never>;
  /** Windows that look at values look at those of all streams. */
  window<M extends Merging>(windows: Windows<unknown, K, M>): WindowedCogroup<K, A, P, M>;
}

export interface WindowedCogroup<K, A, P extends Scheme, M extends Merging = 'never'> {
  aggregate(options: CogroupOptions<A> & Retention & MergeOptions<K, A>[M]): WindowedTable<K, A, P, Deleted[M]>;
  /** Only the final result of each window, once, when it has closed. */
  emitOnClose(): FinalCogroup<K, A, P, M>;
}

export interface FinalCogroup<K, A, P extends Scheme, M extends Merging = 'never'> {
  aggregate(options: CogroupOptions<A> & Retention & MergeOptions<K, A>[M]): FinalRows<K, A, P>;
}

/** Answers the new aggregate, or changes the given one in place and answers nothing. */
export type CogroupAdd<K, V, A> = (aggregate: A, value: V, key: K) => NewOrChanged<A>;

export interface WindowedGroup<K, V, P extends Scheme, M extends Merging = 'never'> {
  count(options: CountOptions & Retention): WindowedTable<K, number, P, Deleted[M], V>;
  reduce(options: ReduceOptions<K, V> & Retention): WindowedTable<K, V, P, Deleted[M], V>;
  aggregate<A>(
    options: AggregateOptions<K, V, A> & Retention & MergeOptions<K, A>[M],
  ): WindowedTable<K, A, P, Deleted[M], V>;
  sum(options: ReadyOptions<K, V, number> & Retention): WindowedTable<K, number, P, Deleted[M], V>;
  /** Infinity where there are no numbers; the largest, `max`, is then -Infinity. */
  min(options: ReadyOptions<K, V, number> & Retention): WindowedTable<K, number, P, Deleted[M], V>;
  max(options: ReadyOptions<K, V, number> & Retention): WindowedTable<K, number, P, Deleted[M], V>;
  mean(options: ReadyOptions<K, V, number> & Retention): WindowedTable<K, Mean, P, Deleted[M], V>;
  /** About how many different values there are: HyperLogLog. */
  distinctCount(options: DistinctOptions<K, V> & Retention): WindowedTable<K, DistinctCount, P, Deleted[M], V>;
  /** Quantiles of numbers with a bounded relative error: DDSketch. */
  quantiles(options: QuantilesOptions<K, V> & Retention): WindowedTable<K, Quantiles, P, Deleted[M], V>;
  /** The k items with the largest scores, largest first. */
  topK(options: TopOptions<K, V> & Retention): WindowedTable<K, readonly TopItem[], P, Deleted[M], V>;
  /** Only the final result of each window, once, when it has closed. */
  emitOnClose(): FinalGroup<K, V, P, M>;
}

/**
 * A windowed stream of whose aggregate only final results come. Whoever looks its rows up, as a join does, finds those
 * of open windows too.
 */
export interface FinalGroup<K, V, P extends Scheme, M extends Merging = 'never'> {
  count(options: CountOptions & Retention): FinalRows<K, number, P, V>;
  reduce(options: ReduceOptions<K, V> & Retention): FinalRows<K, V, P, V>;
  aggregate<A>(options: AggregateOptions<K, V, A> & Retention & MergeOptions<K, A>[M]): FinalRows<K, A, P, V>;
  sum(options: ReadyOptions<K, V, number> & Retention): FinalRows<K, number, P, V>;
  /** Infinity where there are no numbers; the largest, `max`, is then -Infinity. */
  min(options: ReadyOptions<K, V, number> & Retention): FinalRows<K, number, P, V>;
  max(options: ReadyOptions<K, V, number> & Retention): FinalRows<K, number, P, V>;
  mean(options: ReadyOptions<K, V, number> & Retention): FinalRows<K, Mean, P, V>;
  /** About how many different values there are: HyperLogLog. */
  distinctCount(options: DistinctOptions<K, V> & Retention): FinalRows<K, DistinctCount, P, V>;
  /** Quantiles of numbers with a bounded relative error: DDSketch. */
  quantiles(options: QuantilesOptions<K, V> & Retention): FinalRows<K, Quantiles, P, V>;
  /** The k items with the largest scores, largest first. */
  topK(options: TopOptions<K, V> & Retention): FinalRows<K, readonly TopItem[], P, V>;
}

/** The final rows of windows. `In` is what goes into the windows. */
export interface FinalRows<K, V, P extends Scheme, In = unknown> extends Table<Windowed<K>, V, P, never> {
  /** The records that came when a window of theirs had closed, as they came: under their own key. */
  late(): Stream<K, In, P>;
}

/** What the aggregate of windows needs beside, by whether they merge. */
export interface MergeOptions<K, A> {
  readonly never: { readonly merge?: never };
  readonly always: Merge<K, A>;
  readonly maybe: Partial<Merge<K, A>>;
}

export interface Merge<K, A> {
  /**
   * The aggregate of two windows that became one: answers it, or changes the first in place and answers nothing. The
   * initial aggregate is merged first with that of each old window, then the record is added.
   */
  readonly merge: (a: A, b: A, key: K) => NewOrChanged<A>;
}

/** What deletes a row in the updates of windows: those that were merged into others are. */
export interface Deleted {
  readonly never: never;
  readonly always: null;
  readonly maybe: null;
}

export interface CountOptions {
  readonly store: string;
}

/**
 * `add` is written as a method so that the compiler takes a stream of some values for one of more: a property of V
 * beside a format of V would forbid it.
 */
export interface ReduceOptions<K, V> extends CountOptions {
  readonly value: Serde<V>;
  /** Answers the new aggregate, or changes the given one in place and answers nothing. */
  add(aggregate: V, value: V, key: K): NewOrChanged<V>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a lambda that answers nothing is what it says.
export type NewOrChanged<A> = A | void;

export interface AggregateOptions<K, V, A> extends CountOptions {
  readonly value: Serde<A>;
  readonly initial: () => A;
  /** Answers the new aggregate, or changes the given one in place and answers nothing. */
  readonly add: (aggregate: A, value: V, key: K) => NewOrChanged<A>;
}

export interface CogroupOptions<A> extends CountOptions {
  readonly value: Serde<A>;
  readonly initial: () => A;
}

export interface Retention {
  /**
   * How long windows stay in the store: from their start, or, of sessions and of cumulative and calendar windows, from
   * their end. Default and least: as long as records may change them. Late records are not taken for longer, but a
   * record that comes in time joins sessions that are still there. Count and custom windows go when they close.
   */
  readonly retention?: Duration;
}
