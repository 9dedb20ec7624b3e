import type { Duration } from '../core/duration.ts';
import type { Serde } from '../schemas/schemas.ts';

export interface DeduplicateOptions<K, V> {
  /** Of records of a key that are less than this away from each other in time, the first passes. */
  readonly within: Duration;
  /** Remembers what passed, for three times as long. */
  readonly store: string;
  /** What makes records of a key the same; default: the key alone. */
  readonly by?: (value: V, key: K) => string;
}

export interface DifferenceOptions<K, V, R> {
  /** A method for the same reason as the one in `ReduceOptions`. */
  fn(value: V, previous: V, key: K): R;
  /** Keeps the newest record of each key. */
  readonly store: string;
  /** Previous records that are this old or older are forgotten; default: they are kept for ever. */
  readonly within?: Duration;
  /** Needed where the value was made by a lambda. */
  readonly value?: Serde<NonNullable<V>>;
}
