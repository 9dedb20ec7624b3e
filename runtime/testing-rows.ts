import { isDeepStrictEqual } from 'node:util';
import { ByteWriter } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { Scan, Table } from '../state/state.ts';
import type { Program } from '../topology/topology.ts';
import { startsOf } from './read-store.ts';
import type { PlanIndex } from './stage.ts';

export interface DriverRow<K, V> {
  readonly key: K;
  /** Of its window, in window stores. */
  readonly start?: Millis;
  /** Of cumulative and calendar windows, which differ in size. */
  readonly end?: Millis;
  readonly value: V;
  readonly timestamp: Millis;
}

/** A store as it stands, over all partitions. */
export interface DriverTable<K, V> {
  /** The value of a key; in window stores of the window that starts then, and ends then where several start together. */
  get(key: K, start?: Millis, end?: Millis): V | undefined;
  /** All rows: by partition, then by window, then by the bytes of the key. */
  rows(): readonly DriverRow<K, V>[];
}

interface RowFormat<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly windowed: boolean;
  /** Where windows lie by their end: what tells their start. */
  readonly startOf: ((end: Millis) => Millis) | undefined;
}

/** What of a test its stores are read by. */
export interface DriverTableParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly step: Step;
}

/** Reads the tables of a store in a step of its own; in a test no read is cold. */
export function driverTable<K, V>(
  { program, index, step }: DriverTableParts,
  store: string,
  tables: () => readonly Table[],
): DriverTable<K, V> {
  const found = index.stores.get(store);
  if (found === undefined) {
    const names = [...index.stores.keys()].join(', ') || 'none';
    throw new FlowError('plan.invalid', `store ${store} is not part of this topology; it has ${names}`);
  }
  const { kind } = found;
  if (kind !== 'key-value' && kind !== 'window' && kind !== 'versioned' && kind !== 'global') {
    const cure = kind === 'session' ? 'ask it by `query`' : "its rows are its operator's alone";
    throw new FlowError('plan.invalid', `store ${store} is a ${kind} store; ${cure}`);
  }
  const format: RowFormat<K, V> = {
    key: program.code.serde(found.key) as Serde<K>,
    value: program.code.stored(found) as Serde<V>,
    windowed: kind === 'window',
    startOf: startsOf(index, store),
  };
  const rows = () => {
    step.begin();
    const all = tables().flatMap((table) => rowsOf(table, format));
    step.settle();
    return all;
  };
  return {
    rows,
    get: (key, start, end) =>
      rows().find(
        (row) =>
          isDeepStrictEqual(row.key, key) &&
          (!format.windowed || row.start === start) &&
          (end === undefined || row.end === end),
      )?.value,
  };
}

function rowsOf<K, V>(table: Table, { key, value, windowed, startOf }: RowFormat<K, V>): readonly DriverRow<K, V>[] {
  const found: DriverRow<K, V>[] = [];
  for (const pane of table.panes()) {
    const scan = table.scan(pane);
    while (scan.next()) {
      const row = {
        key: key.read(scan.key, scan.keyStart, scan.keyEnd),
        value: decoded(table, scan, value),
        timestamp: scan.timestamp,
      };
      if (!windowed) found.push(row);
      else found.push(startOf === undefined ? { ...row, start: pane } : { ...row, start: startOf(pane), end: pane });
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
