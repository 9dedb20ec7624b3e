import { isDeepStrictEqual } from 'node:util';
import { ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { Scan, Table } from '../state/state.ts';

export interface DriverRow<K, V> {
  readonly key: K;
  /** Of its window, in window stores. */
  readonly start?: Millis;
  readonly value: V;
  readonly timestamp: Millis;
}

/** A store as it stands, over all partitions. */
export interface DriverTable<K, V> {
  /** The value of a key; in window stores of the window that starts then. */
  get(key: K, start?: Millis): V | undefined;
  /** All rows: by partition, then by window, then by the bytes of the key. */
  rows(): readonly DriverRow<K, V>[];
}

export interface RowFormat<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly windowed: boolean;
}

/** Reads the tables of a store in a step of its own; in a test no read is cold. */
export function driverTable<K, V>(step: Step, tables: readonly Table[], format: RowFormat<K, V>): DriverTable<K, V> {
  const rows = () => {
    step.begin();
    const found = tables.flatMap((table) => rowsOf(table, format));
    step.settle();
    return found;
  };
  return {
    rows,
    get: (key, start) =>
      rows().find((row) => isDeepStrictEqual(row.key, key) && (!format.windowed || row.start === start))?.value,
  };
}

function rowsOf<K, V>(table: Table, { key, value, windowed }: RowFormat<K, V>): readonly DriverRow<K, V>[] {
  const found: DriverRow<K, V>[] = [];
  for (const pane of table.panes()) {
    const scan = table.scan(pane);
    while (scan.next()) {
      const row = {
        key: key.read(scan.key, scan.keyStart, scan.keyEnd),
        value: decoded(table, scan, value),
        timestamp: scan.timestamp,
      };
      found.push(windowed ? { ...row, start: pane } : row);
    }
  }
  return found;
}

function decoded<V>(table: Table, scan: Scan, serde: Serde<V>): V {
  if (table.kind === 'bytes') return serde.read(scan.bytes, scan.start, scan.end);
  const out = new ByteWriter(64);
  serde.cells!.encode(scan.cells, scan.base, out);
  return serde.read(out.bytes, 0, out.at);
}
