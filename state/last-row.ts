import type { Bytes } from '../core/bytes.ts';
import { LIVE } from './hot/pages.ts';
import type { HotRows } from './hot/rows.ts';
import type { SortedRows } from './hot/sorted.ts';
import type { TableParts } from './hot/table-parts.ts';
import { TableScan } from './scan.ts';
import type { RowFormat, Scan } from './state.ts';

/**
 * The last row of a pane between two keys. In memory it is found from behind. Where some of the pane lies on disk, what
 * comes behind the last row in memory is read forward: those are few, since the rows written last are evicted last.
 */
export function lastRow(
  parts: TableParts,
  format: RowFormat | undefined,
  value: number,
  from: Bytes | undefined,
  to: Bytes | undefined,
): Scan | undefined {
  const { rows } = parts;
  const pane = rows.panes.get(value);
  if (pane === undefined) return undefined;
  const sorted = rows.sorted(pane);
  const hot = lastHot(rows, sorted, from, to);
  if (pane.complete) return hot === undefined ? undefined : standingAt(parts, format, value, hot, to);
  let last: Bytes | undefined;
  const scan = new TableScan(parts, format, value, hot ?? from, to);
  while (scan.next()) last = Buffer.from(scan.key.subarray(scan.keyStart, scan.keyEnd));
  return last === undefined ? undefined : standingAt(parts, format, value, last, to);
}

function standingAt(
  parts: TableParts,
  format: RowFormat | undefined,
  pane: number,
  key: Bytes,
  to: Bytes | undefined,
): Scan {
  const scan = new TableScan(parts, format, pane, key, to);
  scan.next();
  return scan;
}

/** A copy of the last key in memory that has a value. */
function lastHot(rows: HotRows, sorted: SortedRows, from: Bytes | undefined, to: Bytes | undefined): Bytes | undefined {
  const end = to === undefined ? sorted.end : sorted.seek((row) => rows.compareKey(row, to, 0, to.length));
  for (let place = sorted.before(end); place >= 0; place = sorted.before(place)) {
    const row = sorted.at(place);
    if (from !== undefined && rows.compareKey(row, from, 0, from.length) < 0) return undefined;
    rows.moveTo(row);
    if ((rows.page.words[rows.at]! & LIVE) === 0) continue;
    const start = rows.keyStart(row);
    const end = start + rows.keyLength(row);
    return Buffer.from(rows.keyBytes(row).subarray(start, end));
  }
  return undefined;
}
