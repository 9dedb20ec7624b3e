import { type Bytes, ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { Scan, Table } from '../state/state.ts';
import type { OperatorContext } from './operators.ts';

/** What gives written rows their time. */
export interface WriteTime {
  readonly timestamp: Millis;
}

/** Rows of a table by decoded key and value. What is read is a fresh value: it may be kept and changed. */
export interface TypedRows<K, V> {
  get(pane: number, key: K): V | undefined;
  put(pane: number, key: K, value: V): void;
  delete(pane: number, key: K): void;
  /** Rows from `from` up to but not including `to`, in the order of encoded keys. */
  rows(pane: number, from: K | undefined, to: K | undefined): Generator<readonly [key: K, value: V]>;
}

export function createTypedRows<K, V>(context: OperatorContext, store: string, time: WriteTime): TypedRows<K, V> {
  const table = context.table(store);
  const serdes = context.storeSerdes(store);
  const keySerde = serdes.key as Serde<K>;
  const valueSerde = serdes.value as Serde<V>;
  const key = new ByteWriter(64);
  const value = new ByteWriter(256);
  const write = createWriter(table, valueSerde, value);

  function encode(wanted: K): Bytes {
    key.clear();
    keySerde.encode(wanted, key);
    return key.bytes;
  }

  function bound(wanted: K | undefined): Bytes | undefined {
    if (wanted === undefined) return undefined;
    encode(wanted);
    return key.take();
  }

  function decode(row: Table | Scan): V {
    if (table.kind === 'bytes') {
      const { bytes, start, end } = row as Scan;
      return valueSerde.read(bytes, start, end);
    }
    value.clear();
    valueSerde.cells!.encode((row as Scan).cells, (row as Scan).base, value);
    return valueSerde.read(value.bytes, 0, value.at);
  }

  return {
    get(pane, wanted) {
      const bytes = encode(wanted);
      return table.find(pane, bytes, 0, key.at) ? decode(table) : undefined;
    },
    put(pane, wanted, row) {
      const bytes = encode(wanted);
      write(pane, bytes, key.at, row, time.timestamp);
    },
    delete(pane, wanted) {
      const bytes = encode(wanted);
      table.delete(pane, bytes, 0, key.at);
    },
    *rows(pane, from, to) {
      const scan = table.scan(pane, bound(from), bound(to));
      while (scan.next()) yield [keySerde.read(scan.key, scan.keyStart, scan.keyEnd), decode(scan)];
    },
  };
}

type Write<V> = (pane: number, key: Bytes, keyEnd: number, value: V, timestamp: Millis) => void;

function createWriter<V>(table: Table, serde: Serde<V>, scratch: ByteWriter): Write<V> {
  if (table.kind === 'bytes') {
    return (pane, key, keyEnd, value, timestamp) => {
      scratch.clear();
      serde.encode(value, scratch);
      table.put(pane, key, 0, keyEnd, scratch.bytes, 0, scratch.at, timestamp);
    };
  }
  const codec = serde.cells!;
  return (pane, key, keyEnd, value, timestamp) => {
    // Encoding judges the value: cells take anything.
    scratch.clear();
    serde.encode(value, scratch);
    table.update(pane, key, 0, keyEnd);
    codec.decode(scratch.bytes, 0, scratch.at, table.cells, table.base);
    table.cells[table.base - 1] = timestamp;
  };
}
