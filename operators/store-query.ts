import { type Bytes, ByteWriter, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { bytes, type Serde } from '../schemas/schemas.ts';
import { PLAIN } from '../state/state.ts';
import type { StoreContext } from './operators.ts';
import { createSessionStore } from './session-store.ts';
import { createTypedRows, type RecordAtHand } from './typed-rows.ts';
import { VersionedRows } from './versioned-rows.ts';
import { createExpiry, createWindowStore, type WindowStore } from './window-store.ts';

/**
 * What can be asked of a store from outside, keys as they are encoded. It crosses threads.
 *
 * - `get`: the row of a key, or its newest version.
 * - `range`: rows from one key to another, both included and either left open, of one window where the store has such.
 *   `after`: none up to this key.
 * - `window`: the rows of a key in windows that start from one time to another, both included.
 * - `session`: its sessions that end at `from` or later and start at `to` or earlier.
 * - `asOf`: the version of a key that is valid at a time.
 */
export type StoreQuestion =
  | { readonly kind: 'get'; readonly key: Bytes }
  | {
      readonly kind: 'range';
      readonly from: Bytes | undefined;
      readonly to: Bytes | undefined;
      readonly after: Bytes | undefined;
      readonly window: Millis | undefined;
      readonly limit: number;
    }
  | {
      readonly kind: 'window' | 'session';
      readonly key: Bytes;
      readonly from: Millis;
      readonly to: Millis;
      readonly limit: number;
    }
  | { readonly kind: 'asOf'; readonly key: Bytes; readonly at: Millis };

/** A row as it is encoded; the times are those of its window, session or version, null where it has none. */
export interface FoundRow {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly start: Millis | null;
  readonly end: Millis | null;
}

const TIME_BYTES = 8;
const BEHIND_ALL_TIMES = Buffer.from('8000000000000000', 'hex');

/** It writes nothing, so nothing is late. */
const NO_RECORD: RecordAtHand = { timestamp: 0, late: () => undefined };

/**
 * Answers questions to a store by what its operators would see at this moment, in a step of its own; may miss. What
 * the store has forgotten is not found, though it may lie there still. `startOf`: its windows lie by their end, and this
 * tells the start.
 */
export function createStoreQuery(
  context: StoreContext,
  store: string,
  startOf?: (end: Millis) => Millis,
): (question: StoreQuestion) => readonly FoundRow[] {
  const raw = rawContext(context);
  return (question) => {
    switch (question.kind) {
      case 'get':
        return latest(raw, store, question.key);
      case 'range':
        return range(raw, store, question);
      case 'window': {
        if (raw.storeSerdes(store).kind === 'key-value') return ofWindows(raw, store, question, TIME_BYTES);
        const found = createWindowStore<Bytes, Bytes>(raw, store, NO_RECORD);
        if (startOf !== undefined) return byEnd(found, startOf, question);
        const rows = found.fetch(question.key, question.from, question.to);
        return taken(rows, question.limit, ([start, value]) => ({ key: question.key, value, start, end: null }));
      }
      case 'session': {
        if (raw.storeSerdes(store).kind === 'key-value') return ofWindows(raw, store, question, 2 * TIME_BYTES);
        const found = createSessionStore<Bytes, Bytes>(raw, store, NO_RECORD);
        const rows = found.find(question.key, question.from, question.to);
        return taken(rows, question.limit, ({ start, end, value }) => ({ key: question.key, value, start, end }));
      }
      case 'asOf': {
        const rows = new VersionedRows(raw, store);
        const is = rows.findAsOf(question.key, 0, question.key.length, question.at);
        return is ? [versionOf(rows, question.key)] : [];
      }
    }
  };
}

/** How many rows of a pane a range would have to bring into order first: the loop stands still meanwhile. */
export function unsortedRows(context: StoreContext, store: string, window: Millis | undefined): number {
  return context.table(store).unsorted(window ?? PLAIN);
}

function latest(context: StoreContext, store: string, key: Bytes): readonly FoundRow[] {
  if (context.storeSerdes(store).kind === 'versioned') {
    const rows = new VersionedRows(context, store);
    return rows.findLatest(key, 0, key.length) ? [versionOf(rows, key)] : [];
  }
  const value = createTypedRows<Bytes, Bytes>(context, store, NO_RECORD).get(PLAIN, key);
  return value === undefined ? [] : [{ key, value, start: null, end: null }];
}

function range(
  context: StoreContext,
  store: string,
  { from, to, after, window, limit }: StoreQuestion & { readonly kind: 'range' },
): readonly FoundRow[] {
  const behind = after === undefined ? undefined : Buffer.concat([after, Buffer.of(0)]);
  const first = behind !== undefined && (from === undefined || behind.compare(from) > 0) ? behind : from;
  if (window !== undefined && createExpiry(context, store)(window)) return [];
  const rows = createTypedRows<Bytes, Bytes>(context, store, NO_RECORD).rows(window ?? PLAIN, first, to);
  return taken(rows, limit, ([key, value]) => ({ key, value, start: window ?? null, end: null }));
}

/**
 * The windows of a key in a plain table whose rows lie by keys of windows: behind the key's bytes the start of the
 * window, or its end and its start.
 */
function ofWindows(
  context: StoreContext,
  store: string,
  { key, from, to, limit }: StoreQuestion & { readonly kind: 'window' | 'session' },
  timeBytes: number,
): readonly FoundRow[] {
  const first = new ByteWriter(64);
  first.copy(key, 0, key.length);
  first.int64(Math.max(0, from));
  const last = Buffer.concat([key, BEHIND_ALL_TIMES]);
  const rows = createTypedRows<Bytes, Bytes>(context, store, NO_RECORD).rows(PLAIN, first.take(), last);
  const found: FoundRow[] = [];
  for (const [row, value] of rows) {
    // rows of longer keys lie between
    if (row.length !== key.length + timeBytes || row.compare(key, 0, key.length, 0, key.length) !== 0) continue;
    const start = readInt64(row, row.length - TIME_BYTES);
    if (start > to) {
      if (timeBytes === TIME_BYTES) break;
      continue;
    }
    if (found.length >= limit) break;
    found.push({ key, value, start, end: timeBytes === TIME_BYTES ? null : readInt64(row, key.length) });
  }
  return found;
}

function byEnd(
  rows: WindowStore<Bytes, Bytes>,
  startOf: (end: Millis) => Millis,
  { key, from, to, limit }: StoreQuestion & { readonly kind: 'window' | 'session' },
): readonly FoundRow[] {
  const found: FoundRow[] = [];
  for (const [end, value] of rows.fetch(key, from, Number.MAX_SAFE_INTEGER)) {
    const start = startOf(end);
    if (start > to || found.length >= limit) break;
    if (start >= from) found.push({ key, value, start, end });
  }
  return found;
}

function versionOf({ bytes, start, end, validFrom, validTo }: VersionedRows, key: Bytes): FoundRow {
  const value = Buffer.from(bytes.subarray(start, end));
  return { key, value, start: validFrom, end: validTo === Number.POSITIVE_INFINITY ? null : validTo };
}

function taken<T>(rows: Iterable<T>, limit: number, row: (found: T) => FoundRow): readonly FoundRow[] {
  const found: FoundRow[] = [];
  for (const each of rows) {
    if (found.length >= limit) break;
    found.push(row(each));
  }
  return found;
}

/** Shows keys and values as their bytes, whatever their formats. */
function rawContext(context: StoreContext): StoreContext {
  const raw = bytes() as Serde<unknown>;
  return {
    table: (store) => context.table(store),
    storeClock: (store) => context.storeClock(store),
    storeSerdes(store) {
      const serdes = context.storeSerdes(store);
      return { ...serdes, key: raw, value: { ...raw, cells: serdes.value.cells } };
    },
  };
}
