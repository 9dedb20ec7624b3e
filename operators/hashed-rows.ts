import { type Bytes, ByteWriter, EMPTY } from '../core/bytes.ts';
import { hash128 } from '../core/hash128.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { BytesTable } from '../state/state.ts';
import { ownStore } from '../topology/plan.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import type { RowReader } from './row-reader.ts';
import { createTableReader } from './table-reader.ts';

/**
 * Rows of a table with a hash of what they say. A row that lies in a store as bytes is hashed as it lies, since an
 * update carries the same bytes; others are encoded for it, on both sides.
 */
export interface HashedRows {
  /** The row of the record's key, or null. */
  find(record: Rec): unknown;
  /** The hash of the row found last, valid until the next one is asked for. */
  hash(): Int32Array;
}

/** The hash of the value of a record that the table puts out; it is not null. */
export function createRecordHash(context: OperatorContext, table: string, value: string): (record: Rec) => Int32Array {
  const hash = new Int32Array(4);
  const stored = storedBytes(context, table, value);
  if (stored !== undefined) {
    const { value: serde } = context.storeSerdes(stored);
    return (record) => {
      record.encodeValue(serde);
      hash128(record.valueBytes, record.valueStart, record.valueEnd, hash);
      return hash;
    };
  }
  const encode = createEncoder(context.serde(value));
  return (record) => {
    const out = encode(record.value);
    hash128(out.bytes, 0, out.at, hash);
    return hash;
  };
}

export function createHashedRows(context: OperatorContext, table: string, value: string, place: string): HashedRows {
  const rows = createTableReader(context, table, place);
  const hash = new Int32Array(4);
  const stored = storedBytes(context, table, value);
  if (stored !== undefined) return createStoredRows(rows, context.table(stored) as BytesTable, hash);
  const encode = createEncoder(context.serde(value));
  let row: unknown = null;
  return {
    find(record) {
      row = rows.find(record);
      return row;
    },
    hash() {
      const out = encode(row);
      hash128(out.bytes, 0, out.at, hash);
      return hash;
    },
  };
}

function createStoredRows(rows: RowReader, table: BytesTable, hash: Int32Array): HashedRows {
  let bytes: Bytes = EMPTY;
  let start = 0;
  let end = 0;
  return {
    find(record) {
      const row = rows.find(record);
      ({ bytes, start, end } = table);
      return row;
    },
    hash() {
      hash128(bytes, start, end, hash);
      return hash;
    },
  };
}

/** The table's own store, where its rows are the bytes that its updates carry. */
function storedBytes(context: OperatorContext, table: string, value: string): string | undefined {
  const store = ownStore(context.node(table));
  if (store === null) return undefined;
  const serdes = context.storeSerdes(store);
  return serdes.kind === 'key-value' && serdes.value.cells === undefined && serdes.value.name === value
    ? store
    : undefined;
}

function createEncoder(serde: Serde<unknown>): (value: unknown) => ByteWriter {
  const out = new ByteWriter(256);
  return (value) => {
    out.clear();
    serde.encode(value, out);
    return out;
  };
}
