import type { Bytes } from '../../core/bytes.ts';
import { lastRow } from '../last-row.ts';
import { TableScan } from '../scan.ts';
import type { CellTable, RowFormat, Scan } from '../state.ts';
import { FIRST_CELL, LIVE, UNKNOWN, USED } from './pages.ts';
import type { HotRows } from './rows.ts';
import type { TableParts } from './table-parts.ts';

export class HotCellTable implements CellTable {
  readonly kind = 'cells';
  readonly name: string;
  readonly width: number;
  readonly rows: HotRows;
  readonly format: RowFormat;
  cells: Float64Array = new Float64Array(0);
  base = 0;
  readonly #parts: TableParts;

  constructor(parts: TableParts, format: RowFormat) {
    this.name = parts.rows.name;
    this.width = format.width;
    this.rows = parts.rows;
    this.format = format;
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
    this.cells = page.cells;
    this.base = (at >>> 1) + FIRST_CELL;
    return true;
  }

  update(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean {
    const rows = this.rows;
    rows.select(pane, true);
    const row = rows.lookup(key, keyStart, keyEnd);
    if (row < 0) return this.#create(key, keyStart, keyEnd);
    const flags = rows.page.words[rows.at]!;
    if ((flags & LIVE) === 0) return this.#revive(row, flags, key, keyStart, keyEnd);
    rows.save(row);
    this.cells = rows.page.cells;
    this.base = (rows.at >>> 1) + FIRST_CELL;
    return true;
  }

  #create(key: Bytes, keyStart: number, keyEnd: number): boolean {
    const rows = this.rows;
    if (rows.mayBeCold) rows.miss(-1, key, keyStart, keyEnd);
    rows.saveCreated(rows.create(key, keyStart, keyEnd, 0));
    rows.setLive(true);
    this.cells = rows.page.cells;
    this.base = (rows.at >>> 1) + FIRST_CELL;
    return false;
  }

  #revive(row: number, flags: number, key: Bytes, keyStart: number, keyEnd: number): boolean {
    const rows = this.rows;
    if ((flags & UNKNOWN) !== 0) rows.miss(row, key, keyStart, keyEnd);
    rows.save(row);
    rows.setLive(true);
    this.cells = rows.page.cells;
    this.base = (rows.at >>> 1) + FIRST_CELL;
    this.cells.fill(0, this.base - 1, this.base + this.width);
    return false;
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
    return new TableScan(this.#parts, this.format, pane, from, to);
  }

  isCold(pane: number): boolean {
    return this.rows.panes.get(pane)?.complete === false;
  }

  ahead(pane: number, key: Bytes, keyStart: number, keyEnd: number): void {
    this.rows.ahead(pane, key, keyStart, keyEnd);
  }

  last(pane: number, from?: Bytes, to?: Bytes): Scan | undefined {
    return lastRow(this.#parts, this.format, pane, from, to);
  }
}
