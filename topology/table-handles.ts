import type { Windowed } from '../schemas/schemas.ts';
import type { Stream } from './handles.ts';
import type { Keyed, Rows, Scheme } from './scheme.ts';

/** The newest row per key, in a store. D is what a deletion looks like in its stream: aggregates know none. */
export interface Table<K, V, P extends Scheme, D = null> extends Keyed<K>, Rows<V> {
  readonly id: string;
  readonly partitions: P;
  toStream(): Stream<K, V | D, P>;
}

export interface WindowedTable<K, V, P extends Scheme> extends Table<Windowed<K>, V, P, never> {
  /** Only the final row of each window, once, when it closes. */
  suppress(): FinalTable<K, V, P>;
}

/** Final rows of windows. It has no store to join with. */
export interface FinalTable<K, V, P extends Scheme> {
  readonly id: string;
  toStream(): Stream<Windowed<K>, V, P>;
}
