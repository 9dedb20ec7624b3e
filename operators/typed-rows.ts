import { type Bytes, ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { Scan, Table } from '../state/state.ts';
import type { StoreContext } from './operators.ts';

/** What user code is working on: it gives written rows their time. */
export interface RecordAtHand {
  readonly timestamp: Millis;
  /** Counts the record at hand as one that came too late for a store. */
  late(): void;
}

/** Rows of a table by decoded key and value. What is read is a fresh value: it may be kept and changed. */
export interface TypedRows<K, V> {
  get(pane: number, key: K): V | undefined;
  put(pane: number, key: K, value: V): void;
  delete(pane: number, key: K): void;
  /** Rows from `from` to `to`, both included, in the order of encoded keys. */
  rows(pane: number, from: K | undefined, to: K | undefined): Generator<readonly [key: K, value: V]>;
}

export function createTypedRows<K, V>(context: StoreContext, store: string, record: RecordAtHand): TypedRows<K, V> {
  const table = context.table(store);
  const serdes = context.storeSerdes(store);
  const keySerde = serdes.key as Serde<K>;
  const codec = createRowCodec(table, serdes.value as Serde<V>);
  const key = new ByteWriter(64);

  function encode(wanted: K): Bytes {
    key.clear();
    keySerde.encode(wanted, key);
    return key.bytes;
  }

  function first(wanted: K | undefined): Bytes | undefined {
    if (wanted === undefined) return undefined;
    encode(wanted);
    return key.take();
  }

  /** The key behind the last one. */
  function end(wanted: K | undefined): Bytes | undefined {
    if (wanted === undefined) return undefined;
    encode(wanted);
    key.byte(0);
    return key.take();
  }

  return {
    get(pane, wanted) {
      const bytes = encode(wanted);
      return table.find(pane, bytes, 0, key.at) ? codec.read(table) : undefined;
    },
    put(pane, wanted, row) {
      const bytes = encode(wanted);
      codec.write(pane, bytes, key.at, row, record.timestamp);
    },
    delete(pane, wanted) {
      const bytes = encode(wanted);
      table.delete(pane, bytes, 0, key.at);
    },
    *rows(pane, from, to) {
      const scan = table.scan(pane, first(from), end(to));
      while (scan.next()) yield [keySerde.read(scan.key, scan.keyStart, scan.keyEnd), codec.read(scan)];
    },
  };
}

/** Values of a table's rows, in either form. */
export interface RowCodec<V> {
  /** The value of the row at which the table or a scan of it stands. */
  read(row: Table | Scan): V;
  write(pane: number, key: Bytes, keyEnd: number, value: V, timestamp: Millis): void;
}

export function createRowCodec<V>(table: Table, serde: Serde<V>): RowCodec<V> {
  const scratch = new ByteWriter(256);
  if (table.kind === 'bytes') {
    return {
      read(row) {
        const { bytes, start, end } = row as Scan;
        return serde.read(bytes, start, end);
      },
      write(pane, key, keyEnd, value, timestamp) {
        scratch.clear();
        serde.encode(value, scratch);
        table.put(pane, key, 0, keyEnd, scratch.bytes, 0, scratch.at, timestamp);
      },
    };
  }
  const codec = serde.cells!;
  return {
    read(row) {
      scratch.clear();
      codec.encode((row as Scan).cells, (row as Scan).base, scratch);
      return serde.read(scratch.bytes, 0, scratch.at);
    },
    write(pane, key, keyEnd, value, timestamp) {
      // Encoding judges the value: cells take anything.
      scratch.clear();
      serde.encode(value, scratch);
      table.update(pane, key, 0, keyEnd);
      codec.decode(scratch.bytes, 0, scratch.at, table.cells, table.base);
      table.cells[table.base - 1] = timestamp;
    },
  };
}
