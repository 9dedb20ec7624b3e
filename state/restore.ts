import { type Bytes, readInt64 } from '../core/bytes.ts';
import { PANE_BYTES } from './disk-key.ts';
import type { TaskTable } from './encoded-cut.ts';
import { FIRST_CELL } from './hot/pages.ts';
import { checkImage, IMAGE_HEADER } from './image.ts';
import type { Table } from './state.ts';
import { PLAIN } from './state.ts';

/** One changelog record into a table, belonging to no step. `valueStart` -1: a deletion. */
export function applyRecord(
  parts: TaskTable,
  table: Table,
  key: Bytes,
  keyStart: number,
  keyEnd: number,
  value: Bytes,
  valueStart: number,
  valueEnd: number,
): void {
  const { rows, windowed, format } = parts;
  const end = windowed ? keyEnd - PANE_BYTES : keyEnd;
  const pane = windowed ? readInt64(key, end) : PLAIN;
  rows.beginApart();
  if (valueStart < 0) {
    table.delete(pane, key, keyStart, end);
  } else if (end === keyStart && valueEnd - valueStart === 1) {
    table.dropPane(pane);
  } else {
    checkImage(parts.name, value, valueStart, valueEnd);
    const timestamp = readInt64(value, valueStart + 1);
    const start = valueStart + IMAGE_HEADER;
    if (table.kind === 'bytes') table.put(pane, key, keyStart, end, value, start, valueEnd, timestamp);
    else {
      rows.overwrite(pane, key, keyStart, end);
      const base = (rows.at >>> 1) + FIRST_CELL;
      rows.page.cells[base - 1] = timestamp;
      format!.decode(value, start, valueEnd, rows.page.cells, base);
    }
  }
  rows.settle();
}
