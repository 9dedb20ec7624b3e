import { type Bytes, ByteWriter, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { StoreContext } from './operators.ts';
import { TimePanes } from './time-panes.ts';
import { TimedKeys } from './timed-keys.ts';
import { createRowCodec, type RecordAtHand } from './typed-rows.ts';

export interface Session<V> {
  /** Of its first and its last record. */
  readonly start: Millis;
  readonly end: Millis;
  readonly value: V;
}

/**
 * Rows by key, start and end, both of them inside, for user operators. The store's time is the largest end that was
 * put into it; a session that ended before that by the retention or more is gone, and putting one does nothing but
 * count a late record.
 */
export interface SessionStore<K, V> {
  get(key: K, start: Millis, end: Millis): V | undefined;
  put(key: K, start: Millis, end: Millis, value: V): void;
  delete(key: K, start: Millis, end: Millis): void;
  /** The key's sessions that end at `earliestEnd` or later and start at `latestStart` or earlier, by end, then start. */
  find(key: K, earliestEnd: Millis, latestStart: Millis): Iterable<Session<V>>;
}

export function createSessionStore<K, V>(
  context: StoreContext,
  name: string,
  record: RecordAtHand,
): SessionStore<K, V> {
  const table = context.table(name);
  const serdes = context.storeSerdes(name);
  const keySerde = serdes.key as Serde<K>;
  const codec = createRowCodec(table, serdes.value as Serde<V>);
  const retentionMs = serdes.retentionMs ?? 0;
  const clock = context.storeClock(name);
  const panes = new TimePanes(retentionMs);
  const keys = new TimedKeys();
  const key = new ByteWriter(64);

  function encode(wanted: K): Bytes {
    key.clear();
    keySerde.encode(wanted, key);
    return key.bytes;
  }

  function isGone(end: Millis): boolean {
    return end + retentionMs <= clock.value;
  }

  /** Takes the time of a change; false where it comes too late. */
  function admit(end: Millis): boolean {
    clock.see(end);
    while (isGone(table.firstPane)) table.dropPane(table.firstPane);
    if (!isGone(end)) return true;
    record.late();
    return false;
  }

  return {
    get(wanted, start, end) {
      if (isGone(end)) return undefined;
      const row = keys.row(encode(wanted), 0, key.at, end, start);
      return table.find(panes.of(end), row, 0, keys.length) ? codec.read(table) : undefined;
    },
    put(wanted, start, end, value) {
      if (!admit(end)) return;
      const row = keys.row(encode(wanted), 0, key.at, end, start);
      codec.write(panes.of(end), row, keys.length, value, record.timestamp);
    },
    delete(wanted, start, end) {
      if (!admit(end)) return;
      const row = keys.row(encode(wanted), 0, key.at, end, start);
      table.delete(panes.of(end), row, 0, keys.length);
    },
    *find(wanted, earliestEnd, latestStart) {
      const first = Math.max(earliestEnd, clock.value - retentionMs + 1, 0);
      const wantedKey = Buffer.from(encode(wanted).subarray(0, key.at));
      const timesAt = TimedKeys.timesAt(0, wantedKey.length);
      for (const pane of [...table.panes(panes.of(first))]) {
        const from = keys.from(wantedKey, 0, wantedKey.length, first);
        const scan = table.scan(pane, from, keys.to(wantedKey, 0, wantedKey.length));
        while (scan.next()) {
          const end = readInt64(scan.key, scan.keyStart + timesAt);
          const start = readInt64(scan.key, scan.keyStart + timesAt + 8);
          if (start <= latestStart) yield { start, end, value: codec.read(scan) };
        }
      }
    },
  };
}
