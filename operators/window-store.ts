import type { Millis } from '../core/ids.ts';
import type { OperatorContext } from './operators.ts';
import { createTypedRows, type WriteTime } from './typed-rows.ts';

/**
 * Rows by key and window start, for user operators. Rows of a window go together when stream time passes its start
 * by the store's retention; from then on, writing to it does nothing.
 */
export interface WindowStore<K, V> {
  get(key: K, start: Millis): V | undefined;
  put(key: K, start: Millis, value: V): void;
  delete(key: K, start: Millis): void;
  /** The key's rows in windows that start from `from` up to but not including `to`, oldest first. */
  fetch(key: K, from: Millis, to: Millis): Iterable<readonly [start: Millis, value: V]>;
  /** All rows of one window, in the order of encoded keys. */
  window(start: Millis): Iterable<readonly [key: K, value: V]>;
}

export function createWindowStore<K, V>(context: OperatorContext, name: string, time: WriteTime): WindowStore<K, V> {
  const table = context.table(name);
  const { retentionMs } = context.storeSerdes(name);
  const rows = createTypedRows<K, V>(context, name, time);
  const { streamTime } = context;

  function expired(start: Millis): boolean {
    return retentionMs !== undefined && retentionMs !== null && start + retentionMs <= streamTime.value;
  }

  return {
    get: (key, start) => (expired(start) ? undefined : rows.get(start, key)),
    put(key, start, value) {
      while (expired(table.firstPane)) table.dropPane(table.firstPane);
      if (!expired(start)) rows.put(start, key, value);
    },
    delete: (key, start) => rows.delete(start, key),
    *fetch(key, from, to) {
      for (const start of table.panes(from)) {
        if (start >= to) return;
        const value = expired(start) ? undefined : rows.get(start, key);
        if (value !== undefined) yield [start, value];
      }
    },
    window: (start) => (expired(start) ? [] : rows.rows(start, undefined, undefined)),
  };
}
