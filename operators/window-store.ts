import type { Millis } from '../core/ids.ts';
import type { StoreContext } from './operators.ts';
import { createTypedRows, type RecordAtHand } from './typed-rows.ts';

/**
 * Rows by key and window start, for user operators. The store's time is the largest start that was put into it. Rows
 * of a window go together when that is past its start by the retention; from then on, writing to it does nothing but
 * count a late record.
 */
export interface WindowStore<K, V> {
  get(key: K, start: Millis): V | undefined;
  put(key: K, start: Millis, value: V): void;
  delete(key: K, start: Millis): void;
  /** The key's rows in windows that start from `from` to `to`, both included, oldest first. */
  fetch(key: K, from: Millis, to: Millis): Iterable<readonly [start: Millis, value: V]>;
  /** All rows of one window, in the order of encoded keys. */
  window(start: Millis): Iterable<readonly [key: K, value: V]>;
}

export function createWindowStore<K, V>(context: StoreContext, name: string, record: RecordAtHand): WindowStore<K, V> {
  const table = context.table(name);
  const rows = createTypedRows<K, V>(context, name, record);
  const clock = context.storeClock(name);
  const expired = createExpiry(context, name);

  /** Takes the time of a change; false where it comes too late. */
  function admit(start: Millis): boolean {
    clock.see(start);
    while (expired(table.firstPane)) table.dropPane(table.firstPane);
    if (!expired(start)) return true;
    record.late();
    return false;
  }

  return {
    get: (key, start) => (expired(start) ? undefined : rows.get(start, key)),
    put(key, start, value) {
      if (admit(start)) rows.put(start, key, value);
    },
    delete(key, start) {
      if (admit(start)) rows.delete(start, key);
    },
    *fetch(key, from, to) {
      for (const start of table.panes(from)) {
        if (start > to) return;
        const value = expired(start) ? undefined : rows.get(start, key);
        if (value !== undefined) yield [start, value];
      }
    },
    window: (start) => (expired(start) ? [] : rows.rows(start, undefined, undefined)),
  };
}

/** Tells whether the window of a start has gone. */
export function createExpiry(context: StoreContext, store: string): (start: Millis) => boolean {
  const { retentionMs } = context.storeSerdes(store);
  if (retentionMs === undefined || retentionMs === null) return () => false;
  const clock = context.storeClock(store);
  return (start) => start + retentionMs <= clock.value;
}
