import { readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import { type BytesTable, type CellTable, PLAIN } from '../state/state.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import { shared } from './shared.ts';
import { VersionedRows } from './versioned-rows.ts';

/** Looks up the rows of a table by the keys of records. */
export interface RowReader {
  /**
   * The row of the record's key, which is not null; null where there is none. It may be a view, valid until the next
   * look, and says what the row is now even if the table moves on within the step.
   */
  find(record: Rec): unknown;
  /** The time of the row found last. */
  readonly timestamp: Millis;
}

/** Which version of a row is asked for: the newest, or the one that was valid at the record's time, where it is kept. */
export type Moment = 'now' | 'record';

/**
 * Reads the rows of a store. `keys` is the format of the records' keys: windowed keys find the rows of a windowed
 * aggregate, which lie by key and pane, or by windowed key; of the latter those that start before the latest start ever
 * written by as much as the retention are forgotten, though they may lie there yet. `place` is where the rows are shown; see `shared.ts`.
 */
export function createRowReader(
  context: OperatorContext,
  store: string,
  keys: string | null,
  place: string,
  moment: Moment = 'now',
): RowReader {
  const table = context.table(store);
  const { kind, key: rowKey, value, retentionMs } = context.storeSerdes(store);
  if (kind === 'versioned' && moment === 'record') return createReaderAsOf(context, store, place);
  const show = table.kind === 'bytes' ? showBytes(place, table, value) : copyCells(place, table, value);
  if (isWindowed(keys) && rowKey.name !== keys) {
    const windowedKey = context.serde(keys!);
    // The pane stands right behind the key: it is the start, or, before the start, the end.
    const behind = windowedKey.name.startsWith('windowed(') ? TIME_BYTES : 2 * TIME_BYTES;
    const reader = {
      timestamp: 0,
      find(record: Rec): unknown {
        record.encodeKey(windowedKey);
        const keyEnd = record.keyEnd - behind;
        const pane = readInt64(record.keyBytes, keyEnd);
        if (!table.find(pane, record.keyBytes, record.keyStart, keyEnd)) return null;
        reader.timestamp = timestampOf(table);
        return show();
      },
    };
    return reader;
  }
  const forgets = retentionMs != null && keys?.startsWith('windowed(') === true;
  const clock = forgets ? context.storeClock(store) : undefined;
  const reader = {
    timestamp: 0,
    find(record: Rec): unknown {
      record.encodeKey(rowKey);
      if (clock !== undefined) {
        const start = readInt64(record.keyBytes, record.keyEnd - TIME_BYTES);
        if (start + retentionMs! <= clock.value) return null;
      }
      if (!table.find(PLAIN, record.keyBytes, record.keyStart, record.keyEnd)) return null;
      reader.timestamp = timestampOf(table);
      return show();
    },
  };
  return reader;
}

function createReaderAsOf(context: OperatorContext, store: string, place: string): RowReader {
  const rows = new VersionedRows(context, store);
  const { key, value } = context.storeSerdes(store);
  const view = shared(value, place, () => value.view());
  return {
    find(record) {
      record.encodeKey(key);
      if (!rows.findAsOf(record.keyBytes, record.keyStart, record.keyEnd, record.timestamp)) return null;
      return view(rows.bytes, rows.start, rows.end);
    },
    get timestamp() {
      return rows.validFrom;
    },
  };
}

const TIME_BYTES = 8;

function isWindowed(serde: string | null): boolean {
  return serde?.startsWith('windowed(') === true || serde?.startsWith('sessionWindowed(') === true;
}

function timestampOf(table: BytesTable | CellTable): Millis {
  return table.kind === 'bytes' ? table.timestamp : table.cells[table.base - 1]!;
}

/** The row found, where it lies: it stays there until the step ends, however the table moves on. */
function showBytes(place: string, table: BytesTable, serde: Serde<unknown>): () => unknown {
  const view = shared(serde, place, () => serde.view());
  return () => view(table.bytes, table.start, table.end);
}

/** A copy of the row found: whoever gets it may look at it further down, when the row has changed. */
function copyCells(place: string, table: CellTable, serde: Serde<unknown>): () => unknown {
  const rowAt = shared(serde, place, () => serde.cells!.row());
  const row = new Float64Array(table.width);
  return () => {
    const { cells, base } = table;
    for (let i = 0; i < row.length; i++) row[i] = cells[base + i]!;
    return rowAt(row, 0);
  };
}
