import type { Duration } from '../core/duration.ts';
import type { Serde, Windowed } from '../schemas/schemas.ts';
import type { History, TypeError_ } from './scheme.ts';

/** How much a buffer of held-back updates may take. Without bounds it grows as it must, on disk too. */
export interface BufferBounds {
  readonly maxRecords?: number;
  /** Of encoded keys and values. */
  readonly maxBytes?: number;
}

/** The newest update of each key comes out when the first that was held back is this old. */
export interface TimeLimitOptions<V> extends BufferBounds {
  readonly untilTimeLimit: Duration;
  /** Holds the buffer. */
  readonly store: string;
  /** Needed where the value was made by a lambda. */
  readonly value?: Serde<NonNullable<V>>;
  /** What a full buffer does: let the first in order out before their time (default), or end the run. */
  readonly whenFull?: 'emit-early' | 'fail';
}

/** Only the last value of each window, once, when the window closes. A full buffer ends the run. */
export interface WindowCloseOptions<K, V> extends BufferBounds {
  readonly untilWindowCloses: WindowedKey<K>;
  /**
   * Holds the buffer. Without it, and without bounds, a windowed aggregate gives its final rows out itself, from the
   * rows it holds anyway; then nobody can look them up.
   */
  readonly store?: string;
  /** Needed where the value was made by a lambda. */
  readonly value?: Serde<NonNullable<V>>;
  readonly whenFull?: 'fail';
}

export type SuppressOptions<K, V> = TimeLimitOptions<V> | WindowCloseOptions<K, V>;

export type WindowedKey<K> = [K] extends [Windowed<unknown>]
  ? true
  : TypeError_<'the key has no window to wait for: window the stream before its aggregate, or use untilTimeLimit'>;

/** Of the versions of a row the newest need not be the last to come, and a buffer keeps the last. */
export type Unversioned<H extends History> = [H] extends ['none']
  ? unknown
  : TypeError_<'updates of a table with history cannot be held back: give the table no history'>;
