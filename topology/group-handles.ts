import type { Duration } from '../core/duration.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { WindowSpec } from './plan.ts';
import type { Scheme } from './scheme.ts';
import type { Table, WindowedTable } from './table-handles.ts';

/** A stream grouped by its key, before its aggregate. */
export interface Grouped<K, V, P extends Scheme> {
  /** Null keys and, without windows, null values are dropped and counted. */
  count(options: CountOptions): Table<K, number, P, never>;
  /** The first value of a key stands as it is; each further one is added to it. */
  reduce(options: ReduceOptions<K, V>): Table<K, V, P, never>;
  aggregate<A>(options: AggregateOptions<K, V, A>): Table<K, A, P, never>;
  window(windows: WindowSpec): WindowedGroup<K, V, P>;
}

export interface WindowedGroup<K, V, P extends Scheme> {
  count(options: CountOptions & Retention): WindowedTable<K, number, P>;
  reduce(options: ReduceOptions<K, V> & Retention): WindowedTable<K, V, P>;
  aggregate<A>(options: AggregateOptions<K, V, A> & Retention): WindowedTable<K, A, P>;
}

export interface CountOptions {
  readonly store: string;
}

export interface ReduceOptions<K, V> extends CountOptions {
  readonly value: Serde<V>;
  /** Answers the new aggregate, or changes the given one in place and answers nothing. */
  readonly add: (aggregate: V, value: V, key: K) => NewOrChanged<V>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a lambda that answers nothing is what it says.
export type NewOrChanged<A> = A | void;

export interface AggregateOptions<K, V, A> extends CountOptions {
  readonly value: Serde<A>;
  readonly initial: () => A;
  /** Answers the new aggregate, or changes the given one in place and answers nothing. */
  readonly add: (aggregate: A, value: V, key: K) => NewOrChanged<A>;
}

export interface Retention {
  /** How long windows stay in the store from their start; default and least: size plus grace. */
  readonly retention?: Duration;
}
