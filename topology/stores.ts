import { type Duration, millis } from '../core/duration.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { StoreKind } from './plan.ts';

/** A store of a user operator. Operators that name an equal one share it, and so run in one stage. */
export interface StoreDefinition<K, V> {
  readonly name: string;
  readonly kind: StoreKind;
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
  /** Rows are dropped when the store's time, the largest start put into it, passes the start of their window by this. */
  readonly retention: Duration;
}

export interface SessionStoreOptions<K, V> extends KeyValueStoreOptions<K, V> {
  /** Rows are dropped when the store's time, the largest end put into it, passes their end by this. */
  readonly retention: Duration;
}

export interface VersionedStoreOptions<K, V> extends KeyValueStoreOptions<K, V> {
  /** How far behind the store's time, the largest that was put into it, versions are known and may be put. */
  readonly history: Duration;
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

/** Rows by key and session. */
export function sessionStore<K, V>(name: string, options: SessionStoreOptions<K, V>): StoreDefinition<K, V> {
  return Object.freeze({
    name,
    kind: 'session',
    keySerde: options.key,
    valueSerde: options.value,
    retentionMs: millis(options.retention, `the retention of store ${name}`),
  });
}

/** Rows by key, with their earlier versions. That of a table with history is an equal one. */
export function versionedStore<K, V>(name: string, options: VersionedStoreOptions<K, V>): StoreDefinition<K, V> {
  return Object.freeze({
    name,
    kind: 'versioned',
    keySerde: options.key,
    valueSerde: options.value,
    retentionMs: millis(options.history, `the history of store ${name}`),
  });
}
