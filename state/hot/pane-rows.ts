import type { Bytes } from '../../core/bytes.ts';
import type { Budget } from '../state.ts';
import { hashKey, INLINE_KEY_BYTES } from './hash.ts';
import { ALLOCATED, CUT, ENTRY, FIRST_CELL, FLAGS, HASH, KEY, LIVE, LONG_KEY, PANE, UNKNOWN } from './pages.ts';
import { Pane } from './pane.ts';
import { RowStore, type RowsForm } from './row-store.ts';
import { Segments } from './segments.ts';
import type { Slab } from './slab.ts';
import { sortRows } from './sort.ts';
import { SortedRows } from './sorted.ts';

/** Pages of buried panes that are freed when a new one is needed: more than that, so that they come to an end. */
const PAGES_AT_A_TIME = 2;

/**
 * The panes of one table, and the rows in them by key. After {@link PaneRows.lookup} and {@link PaneRows.create} the
 * row is at hand: its page is `page` and its first word `at`.
 */
export class PaneRows extends RowStore {
  readonly panes = new Map<number, Pane>();
  readonly panesById = new Map<number, Pane>();
  /** The pane selected last. */
  pane: Pane | undefined;
  protected paneValue = Number.NaN;
  protected panesSorted: number[] | undefined;
  protected readonly graveyard: Pane[] = [];
  protected hash = 0;
  protected readonly words = new Int32Array(3);
  readonly #segments = new Segments();
  readonly #paneIds: { next: number };

  constructor(form: RowsForm, slab: Slab, budget: Budget) {
    super(form, slab, budget);
    this.#paneIds = form.paneIds;
  }

  /** Makes the pane of this value the current one; false where it has no rows anywhere and `create` is not asked. */
  select(value: number, create: boolean): boolean {
    if (value === this.paneValue) return true;
    let pane = this.panes.get(value);
    if (pane === undefined) {
      if (!create) return false;
      pane = this.addPane(value, false);
    }
    this.pane = pane;
    this.paneValue = value;
    return true;
  }

  addPane(value: number, onDisk: boolean): Pane {
    const pane = new Pane(value, this.#paneIds.next++, onDisk, this.pages, this.#segments);
    this.panes.set(value, pane);
    this.panesById.set(pane.id, pane);
    this.panesSorted = undefined;
    if (this.ordered) pane.sorted = new SortedRows();
    return pane;
  }

  /** Values of panes that have rows or may have some on disk, ascending. */
  paneValues(): readonly number[] {
    if (this.panesSorted === undefined) {
      const values: number[] = [];
      for (const pane of this.panes.values()) if (pane.live > 0 || !pane.complete) values.push(pane.value);
      this.panesSorted = values.sort((a, b) => a - b);
    }
    return this.panesSorted;
  }

  get firstPane(): number {
    const values = this.panesSorted ?? this.paneValues();
    return values.length === 0 ? Number.POSITIVE_INFINITY : values[0]!;
  }

  panesFrom(from: number | undefined): readonly number[] {
    const values = this.paneValues();
    return from === undefined || from <= values[0]! ? values : values.filter((value) => value >= from);
  }

  /** Rows of a pane that are in no order. */
  unsorted(value: number): number {
    const pane = this.panes.get(value);
    return pane === undefined || pane.sorted !== undefined ? 0 : pane.rows;
  }

  protected detach(pane: Pane): void {
    this.panes.delete(pane.value);
    pane.dropped = true;
    this.paneValue = Number.NaN;
    this.panesSorted = undefined;
  }

  protected attach(pane: Pane): void {
    const other = this.panes.get(pane.value);
    if (other !== undefined) this.forgetPane(other);
    this.panes.set(pane.value, pane);
    pane.dropped = false;
    this.paneValue = Number.NaN;
    this.panesSorted = undefined;
  }

  /** Lets a pane without rows go. */
  protected forgetPane(pane: Pane): void {
    if (this.panes.get(pane.value) === pane) this.panes.delete(pane.value);
    this.panesById.delete(pane.id);
    this.paneValue = Number.NaN;
    pane.clear();
  }

  /** Takes a pane away for good; its rows are freed bit by bit. */
  bury(pane: Pane): void {
    if (!pane.dropped) this.detach(pane);
    pane.sorted = undefined;
    this.graveyard.push(pane);
  }

  /** Frees up to so many pages of buried panes. */
  reclaim(pages: number): void {
    for (let left = pages; left > 0; ) {
      const pane = this.graveyard[this.graveyard.length - 1];
      if (pane === undefined) return;
      const page = pane.pages.last;
      if (page === undefined) {
        this.graveyard.pop();
        this.forgetPane(pane);
        continue;
      }
      if (this.slabbed || pane.longKeys) this.releasePlaces(page);
      this.countRows(-page.live);
      pane.pages.giveLast();
      left--;
    }
  }

  /** The row of a key in the current pane, or -1. */
  lookup(key: Bytes, start: number, end: number): number {
    const words = this.words;
    const hash = hashKey(key, start, end, words);
    this.hash = hash;
    const pane = this.pane!;
    const segment = pane.directory[(hash >>> 17) & pane.directoryMask]!;
    const mask = segment.length - 1;
    const length = end - start;
    let i = (hash << 1) & mask;
    for (;;) {
      const row = segment[i + 1]! - 1;
      if (row < 0) return -1;
      if (segment[i] === hash) {
        const pages = this.pages;
        const page = pages.pages[row >>> pages.shift]!;
        const at = (row & pages.mask) * pages.rowWords;
        const rowWords = page.words;
        if (rowWords[at]! >>> 8 === length) {
          const same =
            length <= INLINE_KEY_BYTES
              ? rowWords[at + KEY] === words[0] &&
                rowWords[at + KEY + 1] === words[1] &&
                rowWords[at + KEY + 2] === words[2]
              : this.#sameLongKey(rowWords[at + KEY]!, key, start, length);
          if (same) {
            this.page = page;
            this.at = at;
            return row;
          }
        }
      }
      i = (i + 2) & mask;
    }
  }

  #sameLongKey(place: number, key: Bytes, start: number, length: number): boolean {
    const bytes = this.slab.bytes(place);
    const at = this.slab.start(place);
    for (let i = 0; i < length; i++) if (bytes[at + i] !== key[start + i]) return false;
    return true;
  }

  /** After a failed lookup: whether the key of it may be on disk. */
  get mayBeCold(): boolean {
    const pane = this.pane!;
    return !pane.complete && (pane.filter === undefined || pane.filter.has(this.hash));
  }

  /** After a failed lookup of this key: a new row of it, with these flags and no value. */
  create(key: Bytes, start: number, end: number, flags: number): number {
    const length = end - start;
    const pages = this.pages;
    const pane = this.pane!;
    if (pane.pages.full && this.graveyard.length > 0) this.reclaim(PAGES_AT_A_TIME);
    const row = pane.pages.allocate();
    const page = pages.pages[row >>> pages.shift]!;
    const at = (row & pages.mask) * pages.rowWords;
    const words = page.words;
    let all = flags | ALLOCATED;
    if (length <= INLINE_KEY_BYTES) {
      words[at + KEY] = this.words[0]!;
      words[at + KEY + 1] = this.words[1]!;
      words[at + KEY + 2] = this.words[2]!;
    } else {
      all |= LONG_KEY;
      pane.longKeys = true;
      words[at + KEY] = this.copyIn(key, start, end);
    }
    words[at + FLAGS] = all | (length << 8);
    words[at + HASH] = this.hash;
    words[at + CUT] = 0;
    words[at + ENTRY] = 0;
    words[at + PANE] = pane.id;
    this.page = page;
    this.at = at;
    const { cells } = page;
    const first = (at >>> 1) + FIRST_CELL - 1;
    for (let i = first; i <= first + this.width; i++) cells[i] = 0;
    pane.insert(this.hash, row);
    if (pane.sorted !== undefined) this.#insertSorted(pane.sorted, row, key, start, end);
    this.countRows(1);
    return row;
  }

  #insertSorted(sorted: SortedRows, row: number, key: Bytes, start: number, end: number): void {
    sorted.insert(row, (other) => this.compareKey(other, key, start, end));
    this.moveTo(row);
  }

  /** Gives the row at hand a value (true) or takes it (false). */
  setLive(live: boolean): void {
    const words = this.page.words;
    const flags = words[this.at]!;
    words[this.at] = live ? (flags & ~UNKNOWN) | LIVE : flags & ~(UNKNOWN | LIVE);
    const change = (live ? 1 : 0) - (flags & LIVE);
    if (change !== 0) this.countLive(words[this.at + PANE]!, change);
  }

  protected countLive(paneId: number, change: number): void {
    const current = this.pane;
    const pane = current !== undefined && current.id === paneId ? current : this.panesById.get(paneId)!;
    pane.live += change;
    if (pane.live === 0 || (pane.live === 1 && change === 1)) this.panesSorted = undefined;
  }

  /** The pane's rows in key order, sorted now where no order was kept. */
  sorted(pane: Pane): SortedRows {
    pane.scanned = true;
    if (pane.sorted === undefined) {
      const rows = new Int32Array(pane.rows);
      pane.collect(rows);
      pane.sorted = SortedRows.of(
        sortRows(
          rows,
          (row) => this.keyPrefix(row),
          (a, b) => this.compareRows(a, b),
        ),
      );
    }
    return pane.sorted;
  }

  /** Lets all memory go without counting it. */
  forgetAll(): void {
    this.panes.clear();
    this.panesById.clear();
    this.pages.clear();
    this.graveyard.length = 0;
    this.paneValue = Number.NaN;
  }

  /** Takes a row out of index and memory. */
  remove(row: number): void {
    this.moveTo(row);
    const words = this.page.words;
    const pane = this.panesById.get(words[this.at + PANE]!)!;
    if ((words[this.at]! & LIVE) !== 0) this.countLive(pane.id, -1);
    pane.remove(words[this.at + HASH]!, row);
    if (pane.sorted !== undefined) pane.sorted.remove((other) => (other === row ? 0 : this.compareRows(other, row)));
    this.moveTo(row);
    this.freePlaces(this.page, this.at);
    pane.pages.release(row);
    this.countRows(-1);
  }
}
