import { type Duration, millis } from '../core/duration.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';

/** A store of a user operator. Operators that name an equal one share it, and so run in one stage. */
export interface StoreDefinition<K, V> {
  readonly name: string;
  readonly kind: 'key-value' | 'window';
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  readonly retentionMs: Millis | null;
}

/** A store of any formats. */
export type AnyStore = StoreDefinition<unknown, unknown>;

export interface KeyValueStoreOptions<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

export interface WindowStoreOptions<K, V> extends KeyValueStoreOptions<K, V> {
  /** Rows are dropped when stream time passes the start of their window by this. */
  readonly retention: Duration;
}

/** Rows by key. */
export function keyValueStore<K, V>(name: string, options: KeyValueStoreOptions<K, V>): StoreDefinition<K, V> {
  return Object.freeze({
    name,
    kind: 'key-value',
    keySerde: options.key,
    valueSerde: options.value,
    retentionMs: null,
  });
}

/** Rows by window start and key. */
export function windowStore<K, V>(name: string, options: WindowStoreOptions<K, V>): StoreDefinition<K, V> {
  return Object.freeze({
    name,
    kind: 'window',
    keySerde: options.key,
    valueSerde: options.value,
    retentionMs: millis(options.retention, `the retention of store ${name}`),
  });
}
