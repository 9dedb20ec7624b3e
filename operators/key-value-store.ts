import { PLAIN } from '../state/state.ts';
import type { OperatorContext } from './operators.ts';
import { createTypedRows, type WriteTime } from './typed-rows.ts';

/** Rows by key, for user operators. Values that are read are copies: a change counts when it is put. */
export interface KeyValueStore<K, V> {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  delete(key: K): void;
  /**
   * Rows from `from` up to but not including `to`, in the order of encoded keys. A row that is changed meanwhile
   * comes in its old form, its new form, or not at all.
   */
  range(from: K, to: K): Iterable<readonly [key: K, value: V]>;
  all(): Iterable<readonly [key: K, value: V]>;
}

export function createKeyValueStore<K, V>(
  context: OperatorContext,
  name: string,
  time: WriteTime,
): KeyValueStore<K, V> {
  const rows = createTypedRows<K, V>(context, name, time);
  return {
    get: (key) => rows.get(PLAIN, key),
    put: (key, value) => rows.put(PLAIN, key, value),
    delete: (key) => rows.delete(PLAIN, key),
    range: (from, to) => rows.rows(PLAIN, from, to),
    all: () => rows.rows(PLAIN, undefined, undefined),
  };
}
