import type { Duration } from '../core/duration.ts';

/**
 * How a stream lies on partitions, for the compiler: a literal count where every key has its partition,
 * `'stale'` after the key was changed. The rules here are the early echo of `validate.ts`.
 *
 * A rule is stated as a union: what is right, or a {@link Sentence} that nobody can make. Where the right
 * side does not fit, the compiler prints the whole union, and with it the sentence. No conditional types:
 * so the rules also hold inside generic operators of users.
 */
export type Scheme = number | 'stale';

declare const sentence: unique symbol;

/** A type without values, whose name is read in the compiler's message. */
export interface TypeError_<Words extends string> {
  readonly [sentence]: Words;
}

declare const keyMark: unique symbol;
declare const rowMark: unique symbol;
declare const valueMark: unique symbol;

/** Knows its key type in both directions: a key of another type lies on other partitions. Types only. */
export interface Keyed<K> {
  readonly [keyMark]: (key: K) => K;
}

/** Knows the type of its rows. Types only. */
export interface Rows<W> {
  readonly [rowMark]: () => W;
}

/** Whether a table keeps earlier versions of its rows. */
export type History = 'kept' | 'none';

declare const historyMark: unique symbol;

/** Knows whether it has a history. Types only. */
export interface Versions<H extends History> {
  readonly [historyMark]: H;
}

/** What a join may wait for records that come late, by the history of its table. */
export interface GraceOf {
  readonly kept: Duration;
  readonly none: TypeError_<'only a table with history can be joined with grace: give the table a history'>;
}

/** Knows the type of the values that flow in it. Types only. */
export interface Flow<V> {
  readonly [valueMark]: () => V;
}

/** A receiver whose key lies where it should. */
export interface Settled<Operation extends string> {
  readonly partitions: number | TypeError_<`the key changed: call repartition(...) before ${Operation}`>;
}

/** A table that a stream of key K and scheme P may be joined with; its rows are W. */
export interface Joinable<K, W, P extends Scheme, H extends History = History> extends Rows<W>, Versions<H> {
  readonly id: string;
  readonly partitions: P | TypeError_<'partition counts differ: call repartition(...) with the count of the table'>;
  readonly [keyMark]:
    | Keyed<K>[typeof keyMark]
    | TypeError_<'key types differ: selectKey(...) and repartition(...) to the key of the table'>;
}

/** A stream that a stream of key K and scheme P may be joined with; its values are W. */
export interface JoinableStream<K, W, P extends Scheme> extends Flow<W> {
  readonly id: string;
  readonly partitions:
    | P
    | TypeError_<'partition counts differ, or the key of the other stream changed: call repartition(...) on it with the count of this one'>;
  readonly [keyMark]:
    | Keyed<K>[typeof keyMark]
    | TypeError_<'key types differ: selectKey(...) and repartition(...) one stream to the key of the other'>;
}

/** A grouped stream that another one of key K and scheme P may share an aggregate with; its values are W. */
export interface Cogroupable<K, W, P extends Scheme> extends Rows<W> {
  readonly id: string;
  readonly partitions: P | TypeError_<'partition counts differ: call repartition(...) with one count before grouping'>;
  readonly [keyMark]:
    | Keyed<K>[typeof keyMark]
    | TypeError_<'key types differ: selectKey(...) and repartition(...) to one key before grouping'>;
  /** What a grouped stream has and a table has not. */
  readonly cogroup: unknown;
}
