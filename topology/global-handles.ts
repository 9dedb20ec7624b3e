import type { Keyed, Rows } from './scheme.ts';

/** A whole topic as a table, to be joined by any key; it is on no partitions. */
export interface GlobalTable<K, V> extends Keyed<K>, Rows<V> {
  readonly id: string;
  readonly store: string;
}

export interface GlobalTableOptions {
  readonly store: string;
}

export interface JoinGlobalOptions<Key, Merge> {
  /** The key of the row that belongs to a record; null where there is none. */
  readonly key: Key;
  readonly merge: Merge;
  readonly name?: string;
}
