import { PLAIN } from '../state/state.ts';
import type { OperatorContext } from './operators.ts';
import { createTypedRows, type RecordAtHand } from './typed-rows.ts';

/** Rows by key, for user operators. Values that are read are copies: a change counts when it is put. */
export interface KeyValueStore<K, V> {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  /** Puts a value where there is none; answers the one that is there already, which stays. */
  putIfAbsent(key: K, value: V): V | undefined;
  /** Answers what it deletes. */
  delete(key: K): V | undefined;
  /**
   * Rows from `from` to `to`, both included, in the order of encoded keys. A row that is changed meanwhile comes in its
   * old form, its new form, or not at all.
   */
  range(from: K, to: K): Iterable<readonly [key: K, value: V]>;
  all(): Iterable<readonly [key: K, value: V]>;
}

export function createKeyValueStore<K, V>(
  context: OperatorContext,
  name: string,
  record: RecordAtHand,
): KeyValueStore<K, V> {
  const rows = createTypedRows<K, V>(context, name, record);
  return {
    get: (key) => rows.get(PLAIN, key),
    put: (key, value) => rows.put(PLAIN, key, value),
    putIfAbsent(key, value) {
      const there = rows.get(PLAIN, key);
      if (there === undefined) rows.put(PLAIN, key, value);
      return there;
    },
    delete(key) {
      const there = rows.get(PLAIN, key);
      if (there !== undefined) rows.delete(PLAIN, key);
      return there;
    },
    range: (from, to) => rows.rows(PLAIN, from, to),
    all: () => rows.rows(PLAIN, undefined, undefined),
  };
}
