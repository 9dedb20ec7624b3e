import type { CountOptions } from '../group-handles.ts';

/** A ready aggregate of what `of` answers; records for which it answers nothing do not count. */
export interface ReadyOptions<K, V, R> extends CountOptions {
  readonly of: (value: V, key: K) => R | null | undefined;
}

export interface DistinctOptions<K, V> extends ReadyOptions<K, V, string | number | boolean> {
  /** The standard error that is allowed, relative; default 0.0163 (4096 registers, a byte each), at least 0.0041. */
  readonly error?: number;
}

export interface QuantilesOptions<K, V> extends ReadyOptions<K, V, number> {
  /** How far a quantile may be from the true one, relative; default 0.01. */
  readonly error?: number;
}

export interface TopOptions<K, V> extends CountOptions {
  /** How many items are kept. */
  readonly k: number;
  /** What the items are, one for each id. */
  readonly id: (value: V, key: K) => string;
  /** What they are ordered by: for each id its largest score. Records without one do not count. */
  readonly score: (value: V, key: K) => number | null | undefined;
}
