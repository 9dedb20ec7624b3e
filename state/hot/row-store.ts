import { type Bytes, compareBytes, copyBytes, readInt32 } from '../../core/bytes.ts';
import type { Budget } from '../state.ts';
import { ALLOCATED, FIRST_CELL, KEY, LIVE, LONG_KEY, type RowPage, RowPages } from './pages.ts';
import type { Slab } from './slab.ts';

export interface RowsForm {
  readonly name: string;
  readonly width: number;
  /** The cells of a row hold places in the slab. */
  readonly slabbed: boolean;
  readonly ordered: boolean;
  /** One for all tables of a task, so that a pane's id names it alone. */
  readonly paneIds: { next: number };
}

/** A row's share of the index and of the page's head. */
const ROW_OVERHEAD_BYTES = 16;

/** Rows by number, with their keys and what they hold of the slab; counted against the budget. */
export class RowStore {
  readonly name: string;
  readonly width: number;
  /** Cells hold places in the slab. */
  readonly slabbed: boolean;
  readonly ordered: boolean;
  readonly slab: Slab;
  readonly pages: RowPages;
  /** The page of the row at hand, and its first word there. */
  page!: RowPage;
  at = 0;
  protected readonly budget: Budget;

  constructor(form: RowsForm, slab: Slab, budget: Budget) {
    this.name = form.name;
    this.width = form.width;
    this.slabbed = form.slabbed;
    this.ordered = form.ordered;
    this.slab = slab;
    this.pages = new RowPages(form.width);
    this.budget = budget;
  }

  /** Copies bytes into the slab; answers their place. */
  copyIn(source: Bytes, start: number, end: number): number {
    const slab = this.slab;
    const before = slab.usedBytes;
    const place = slab.allocate(end - start);
    this.budget.usedBytes += slab.usedBytes - before;
    copyBytes(slab.bytes(place), slab.start(place), source, start, end);
    return place;
  }

  /** Points `page` and `at` to a row known by number. */
  moveTo(row: number): void {
    const pages = this.pages;
    this.page = pages.pages[row >>> pages.shift]!;
    this.at = (row & pages.mask) * pages.rowWords;
  }

  keyLength(row: number): number {
    this.moveTo(row);
    return this.page.words[this.at]! >>> 8;
  }

  /** The buffer that holds a row's key; it starts there at {@link HotRows.keyStart}. */
  keyBytes(row: number): Bytes {
    this.moveTo(row);
    const words = this.page.words;
    return (words[this.at]! & LONG_KEY) === 0 ? this.page.bytes : this.slab.bytes(words[this.at + KEY]!);
  }

  keyStart(row: number): number {
    this.moveTo(row);
    const words = this.page.words;
    return (words[this.at]! & LONG_KEY) === 0 ? (this.at + KEY) * 4 : this.slab.start(words[this.at + KEY]!);
  }

  /** The first four bytes of a row's key, zeros behind a shorter one, as an unsigned number. */
  keyPrefix(row: number): number {
    // keys within their row are padded with zeros, those in the slab are longer than four bytes
    const at = this.keyStart(row);
    return readInt32(this.keyBytes(row), at) >>> 0;
  }

  /** How a row's key stands to these bytes. */
  compareKey(row: number, key: Bytes, start: number, end: number): number {
    const at = this.keyStart(row);
    return compareBytes(this.keyBytes(row), at, at + this.keyLength(row), key, start, end);
  }

  compareRows(a: number, b: number): number {
    const start = this.keyStart(b);
    return this.compareKey(a, this.keyBytes(b), start, start + this.keyLength(b));
  }

  get ownBytes(): number {
    return this.pages.count * (this.pages.rowBytes + ROW_OVERHEAD_BYTES);
  }

  /** Counts rows that came or went against the budget. */
  protected countRows(change: number): void {
    this.budget.usedBytes += change * (this.pages.rowBytes + ROW_OVERHEAD_BYTES);
  }

  /** Frees what the row at the word `at` of a page holds of the slab. */
  protected freePlaces({ words, cells }: RowPage, at: number): void {
    const flags = words[at]!;
    if ((flags & LONG_KEY) !== 0) this.releasePlace(words[at + KEY]!);
    if (this.slabbed && (flags & LIVE) !== 0) this.releasePlace(cells[(at >>> 1) + FIRST_CELL]!);
  }

  /** Frees what all rows of a page hold of the slab. */
  protected releasePlaces(page: RowPage): void {
    const { rowWords } = this.pages;
    for (let at = 0; at < page.fresh * rowWords; at += rowWords) {
      if ((page.words[at]! & ALLOCATED) !== 0) this.freePlaces(page, at);
    }
  }

  releasePlace(place: number): void {
    const slab = this.slab;
    const before = slab.usedBytes;
    slab.release(place);
    this.budget.usedBytes += slab.usedBytes - before;
  }
}
