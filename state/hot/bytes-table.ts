import { type Bytes, EMPTY } from '../../core/bytes.ts';
import type { Millis } from '../../core/ids.ts';
import { lastRow } from '../last-row.ts';
import { TableScan } from '../scan.ts';
import type { BytesTable, Scan } from '../state.ts';
import { FIRST_CELL, LIVE, UNKNOWN, USED } from './pages.ts';
import type { HotRows } from './rows.ts';
import type { TableParts } from './table-parts.ts';

/**
 * Its rows are two cells: the value's place in the slab, and its length. What is read from them is made an integer at
 * once: the runtime would take every position that a double was added to for a double from then on.
 */
export class HotBytesTable implements BytesTable {
  readonly kind = 'bytes';
  readonly name: string;
  readonly rows: HotRows;
  bytes: Bytes = EMPTY;
  start = 0;
  end = 0;
  timestamp: Millis = 0;
  readonly #parts: TableParts;

  constructor(parts: TableParts) {
    this.name = parts.rows.name;
    this.rows = parts.rows;
    this.#parts = parts;
  }

  find(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean {
    const rows = this.rows;
    if (!rows.select(pane, false)) return false;
    const row = rows.lookup(key, keyStart, keyEnd);
    if (row < 0) return rows.mayBeCold ? rows.miss(row, key, keyStart, keyEnd) : false;
    const { page, at } = rows;
    const flags = page.words[at]!;
    if ((flags & USED) === 0) page.words[at] = flags | USED;
    if ((flags & LIVE) === 0) return (flags & UNKNOWN) !== 0 ? rows.miss(row, key, keyStart, keyEnd) : false;
    const base = (at >>> 1) + FIRST_CELL;
    const place = page.cells[base]! | 0;
    this.timestamp = page.cells[base - 1]!;
    this.bytes = rows.slab.bytes(place);
    this.start = rows.slab.start(place);
    this.end = this.start + (page.cells[base + 1]! | 0);
    return true;
  }

  put(
    pane: number,
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
    timestamp: Millis,
  ): void {
    const rows = this.rows;
    rows.select(pane, true);
    const row = rows.lookup(key, keyStart, keyEnd);
    if (row < 0) rows.saveCreated(rows.create(key, keyStart, keyEnd, 0));
    else rows.save(row);
    const { page, at } = rows;
    const base = (at >>> 1) + FIRST_CELL;
    page.cells[base] = rows.copyIn(value, valueStart, valueEnd);
    page.cells[base + 1] = valueEnd - valueStart;
    page.cells[base - 1] = timestamp;
    if ((page.words[at]! & LIVE) === 0) rows.setLive(true);
  }

  delete(pane: number, key: Bytes, keyStart: number, keyEnd: number): void {
    if (this.rows.select(pane, false)) this.rows.delete(key, keyStart, keyEnd);
  }

  get firstPane(): number {
    return this.rows.firstPane;
  }

  panes(from?: number): readonly number[] {
    return this.rows.panesFrom(from);
  }

  unsorted(pane: number): number {
    return this.rows.unsorted(pane);
  }

  dropPane(pane: number): void {
    this.rows.dropPane(pane);
  }

  scan(pane: number, from?: Bytes, to?: Bytes): Scan {
    return new TableScan(this.#parts, undefined, pane, from, to);
  }

  isCold(pane: number): boolean {
    return this.rows.panes.get(pane)?.complete === false;
  }

  ahead(pane: number, key: Bytes, keyStart: number, keyEnd: number): void {
    this.rows.ahead(pane, key, keyStart, keyEnd);
  }

  last(pane: number, from?: Bytes, to?: Bytes): Scan | undefined {
    return lastRow(this.#parts, undefined, pane, from, to);
  }
}
