import type { Duration } from '../core/duration.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { CallBegin, CallOrder } from './plan.ts';

/** What `mapAsync` and `lookup` have in common: how their calls are made. */
export interface CallOptions<K, V> {
  /** Records of which a call is on its way lie in a store of this name. */
  readonly name: string;
  /**
   * How many records of a task may have a call on its way or a result that waits for its turn. When there are as many,
   * the task takes no further records until a result has left.
   */
  readonly concurrency: number;
  /**
   * The order in which results leave. `key`, the default: those of one key as their records came; `partition`: all as
   * their records came; `none`: as they come.
   */
  readonly order?: CallOrder;
  /** How long one attempt may take; default 30 s. Its signal is aborted then. */
  readonly timeout?: Duration;
  /** Default: one attempt. */
  readonly retry?: RetryOptions;
  /** Of the records that wait; needed where their keys were made by a lambda. */
  readonly key?: Serde<K>;
  /** Of the records that wait; needed where their values were made by a lambda. */
  readonly input?: Serde<V>;
}

export interface RetryOptions {
  /** How often a call is made at most, the first one included. */
  readonly attempts: number;
  /** The pause before the second attempt; it doubles with each further one, and is shortened at random by up to half. Default 100 ms. */
  readonly backoff?: Duration;
  /** The longest pause; default 30 s. */
  readonly maxBackoff?: Duration;
}

/** What a function is told of its call. */
export interface CallContext {
  /** Aborted when the attempt takes too long, and when the task is given up. */
  readonly signal: AbortSignal;
  /** Counted from 1. */
  readonly attempt: number;
}

/** What a function is told that is called for each record. */
export interface RecordCallContext extends CallContext {
  /**
   * Names the record among all that the operator takes, and is the same in each attempt. Behind a crash it is the same
   * too where calls begin `committed`.
   */
  readonly record: string;
}

export interface MapAsyncOptions<K, V, R> extends CallOptions<K, V> {
  /** Gets plain values that may be kept. It may be called again for a record, after a failure or a crash. */
  readonly fn: (value: V, key: K, call: RecordCallContext) => R | PromiseLike<R>;
  /**
   * When a call begins. `taken`, the default: as soon as its record is done. `committed`: when that is committed. Then a
   * call that is made again is always for the same record, under the same name, so that whoever is called can tell.
   */
  readonly begin?: CallBegin;
  /** Of the results, where they go on to a store or an internal topic. */
  readonly value?: Serde<R>;
}

export interface LookupOptions<K, V, W, Merge> extends CallOptions<K, V> {
  /** The row of a key, null where there is none. Records of one key share an answer, so it may depend on the key alone. */
  readonly fn: (key: K, value: V, call: CallContext) => W | null | undefined | PromiseLike<W | null | undefined>;
  readonly cache: CacheOptions;
  /** Must not change the row, which further records get too. */
  readonly merge: Merge;
}

export interface CacheOptions {
  /** Answers that a task keeps in memory; beyond that the one used longest ago goes. */
  readonly maxEntries: number;
  /** How long an answer holds. */
  readonly ttl: Duration;
  /** How long the answer holds that there is no row; default 0: each record asks again. */
  readonly negativeTtl?: Duration;
}
