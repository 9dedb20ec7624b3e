import { type Bytes, compareBytes } from '../../core/bytes.ts';
import type { Settling, Step } from '../../core/step.ts';
import type { Budget } from '../state.ts';
import { hashKey, INLINE_KEY_BYTES } from './hash.ts';
import {
  ALLOCATED,
  CUT,
  DIRTY,
  ENTRY,
  FIRST_CELL,
  FLAGS,
  HASH,
  KEY,
  LIVE,
  LONG_KEY,
  PANE,
  type RowPage,
  RowPages,
  UNKNOWN,
  USED,
} from './pages.ts';
import { Pane } from './pane.ts';
import type { Slab } from './slab.ts';
import { SortedRows } from './sorted.ts';

/** What a table's rows ask of the room when memory does not hold the answer. */
export interface ColdReads {
  /** Notes that this row, a placeholder now, is to be read. */
  want(rows: HotRows, pane: Pane, row: number): void;
}

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

/**
 * The rows of one table: index, pages, dirty list and undo log. A row of a bytes table is two cells, the value's
 * place in the slab and its length; so both kinds of table share everything but who writes the cells.
 *
 * After {@link HotRows.lookup} and {@link HotRows.create} the row's page is `page` and its first word `at`.
 */
export class HotRows implements Settling {
  readonly name: string;
  readonly width: number;
  /** Cells hold places in the slab. */
  readonly slabbed: boolean;
  readonly ordered: boolean;
  readonly slab: Slab;
  readonly pages: RowPages;
  readonly panes = new Map<number, Pane>();
  readonly panesById = new Map<number, Pane>();

  page!: RowPage;
  at = 0;
  pane: Pane | undefined;
  #paneValue = Number.NaN;
  #hash = 0;

  dirty = new Int32Array(1024);
  dirtyCount = 0;
  /** Panes dropped in this epoch, in order. */
  drops: Pane[] = [];

  readonly #step: Step;
  readonly #budget: Budget;
  readonly #cold: ColdReads;
  readonly #words = new Int32Array(3);
  readonly #graveyard: Pane[] = [];
  #undo = new Float64Array(1024);
  #undoAt = 0;
  #touchedIn = -1;
  #dirtyMark = 0;
  #dropsMark = 0;
  readonly #paneIds: { next: number };
  #panesSorted: number[] | undefined;

  constructor(form: RowsForm, slab: Slab, step: Step, budget: Budget, cold: ColdReads) {
    this.name = form.name;
    this.width = form.width;
    this.slabbed = form.slabbed;
    this.ordered = form.ordered;
    this.#paneIds = form.paneIds;
    this.slab = slab;
    this.pages = new RowPages(form.width);
    this.#step = step;
    this.#budget = budget;
    this.#cold = cold;
  }

  // --- panes

  /** Makes the pane of this value the current one; false where it has no rows anywhere and `create` is not asked. */
  select(value: number, create: boolean): boolean {
    if (value === this.#paneValue) return true;
    let pane = this.panes.get(value);
    if (pane === undefined) {
      if (!create) return false;
      pane = this.addPane(value, false);
    }
    this.pane = pane;
    this.#paneValue = value;
    return true;
  }

  addPane(value: number, onDisk: boolean): Pane {
    const pane = new Pane(value, this.#paneIds.next++, onDisk);
    this.panes.set(value, pane);
    this.panesById.set(pane.id, pane);
    this.#panesSorted = undefined;
    if (this.ordered) pane.sorted = new SortedRows();
    return pane;
  }

  /** Values of panes that have rows or may have some on disk, ascending. */
  paneValues(): readonly number[] {
    if (this.#panesSorted === undefined) {
      const values: number[] = [];
      for (const pane of this.panes.values()) if (pane.live > 0 || !pane.complete) values.push(pane.value);
      this.#panesSorted = values.sort((a, b) => a - b);
    }
    return this.#panesSorted;
  }

  get firstPane(): number {
    const values = this.#panesSorted ?? this.paneValues();
    return values.length === 0 ? Number.POSITIVE_INFINITY : values[0]!;
  }

  panesFrom(from: number | undefined): readonly number[] {
    const values = this.paneValues();
    return from === undefined || from <= values[0]! ? values : values.filter((value) => value >= from);
  }

  dropPane(value: number): void {
    const pane = this.panes.get(value);
    if (pane === undefined || (pane.rows === 0 && pane.complete && !pane.logged)) return;
    this.#touch();
    this.#reserveUndo();
    this.#undoAt += this.width + 2;
    this.#undo[this.#undoAt++] = -1;
    this.drops.push(pane);
    this.#detach(pane);
  }

  #detach(pane: Pane): void {
    this.panes.delete(pane.value);
    pane.dropped = true;
    this.#paneValue = Number.NaN;
    this.#panesSorted = undefined;
  }

  #attach(pane: Pane): void {
    const other = this.panes.get(pane.value);
    if (other !== undefined) this.panesById.delete(other.id);
    this.panes.set(pane.value, pane);
    pane.dropped = false;
    this.#paneValue = Number.NaN;
    this.#panesSorted = undefined;
  }

  /** Takes a pane away for good; its rows are freed bit by bit. */
  bury(pane: Pane): void {
    if (!pane.dropped) this.#detach(pane);
    pane.sorted = undefined;
    this.#graveyard.push(pane);
  }

  /** Frees rows of buried panes, about `count` of them; true while more are left. */
  reclaim(count: number): boolean {
    while (count > 0) {
      const pane = this.#graveyard[this.#graveyard.length - 1];
      if (pane === undefined) return false;
      const segment = pane.directory.pop();
      if (segment === undefined) {
        this.#graveyard.pop();
        this.panesById.delete(pane.id);
        continue;
      }
      // a segment may stand at several places of the directory: empty it, so that it counts once
      for (let i = 1; i < segment.length; i += 2) {
        if (segment[i] === 0) continue;
        this.#free(segment[i]! - 1);
        segment[i] = 0;
        count--;
      }
    }
    return this.#graveyard.length > 0;
  }

  /** After a cut: forgets drops, empty panes, and orders that no scan asked for lately. */
  endEpoch(): void {
    this.drops = [];
    for (const pane of this.panes.values()) {
      if (!this.ordered && !pane.scanned) pane.sorted = undefined;
      pane.scanned = false;
      if (pane.rows > 0 || !pane.complete) continue;
      this.panes.delete(pane.value);
      this.panesById.delete(pane.id);
      this.#paneValue = Number.NaN;
    }
  }

  // --- rows

  /** The row of a key in the current pane, or -1. */
  lookup(key: Bytes, start: number, end: number): number {
    const words = this.#words;
    const hash = hashKey(key, start, end, words);
    this.#hash = hash;
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
    return !pane.complete && (pane.filter === undefined || pane.filter.has(this.#hash));
  }

  /** After a failed lookup of this key: a new row of it, with these flags and no value. */
  create(key: Bytes, start: number, end: number, flags: number): number {
    if (this.#graveyard.length > 0) this.reclaim(4);
    const length = end - start;
    const pages = this.pages;
    const row = pages.allocate();
    const page = pages.pages[row >>> pages.shift]!;
    const at = (row & pages.mask) * pages.rowWords;
    const pane = this.pane!;
    const words = page.words;
    let all = flags | ALLOCATED;
    if (length <= INLINE_KEY_BYTES) {
      words[at + KEY] = this.#words[0]!;
      words[at + KEY + 1] = this.#words[1]!;
      words[at + KEY + 2] = this.#words[2]!;
    } else {
      all |= LONG_KEY;
      words[at + KEY] = this.copyIn(key, start, end);
    }
    words[at + FLAGS] = all | (length << 8);
    words[at + HASH] = this.#hash;
    words[at + CUT] = 0;
    words[at + ENTRY] = 0;
    words[at + PANE] = pane.id;
    this.page = page;
    this.at = at;
    page.cells.fill(0, (at >>> 1) + FIRST_CELL - 1, (at >>> 1) + FIRST_CELL + this.width);
    pane.insert(this.#hash, row);
    if (pane.sorted !== undefined) {
      pane.sorted.insert(row, (other) => this.compareKey(other, key, start, end));
      this.moveTo(row);
    }
    this.#budget.usedBytes += pages.rowBytes + ROW_OVERHEAD_BYTES;
    return row;
  }

  /** Copies bytes into the slab; answers their place. */
  copyIn(source: Bytes, start: number, end: number): number {
    const slab = this.slab;
    const before = slab.usedBytes;
    const place = slab.allocate(end - start);
    this.#budget.usedBytes += slab.usedBytes - before;
    const target = slab.bytes(place);
    let at = slab.start(place);
    if (end - start < 48) for (let i = start; i < end; i++) target[at++] = source[i]!;
    else source.copy(target, at, start, end);
    return place;
  }

  /** Points `page` and `at` to a row known by number. */
  moveTo(row: number): void {
    const pages = this.pages;
    this.page = pages.pages[row >>> pages.shift]!;
    this.at = (row & pages.mask) * pages.rowWords;
  }

  /** Before a change of the row at hand: keeps its old form and marks it dirty. */
  save(row: number): void {
    if (this.#touchedIn !== this.#step.serial) this.#touch();
    const width = this.width;
    if (this.#undoAt + width + 3 > this.#undo.length) this.#reserveUndo();
    const undo = this.#undo;
    let u = this.#undoAt;
    const page = this.page;
    const cells = page.cells;
    const first = (this.at >>> 1) + FIRST_CELL - 1;
    for (let i = first; i <= first + width; i++) undo[u++] = cells[i]!;
    const flags = page.words[this.at]!;
    undo[u] = flags & 0xff;
    undo[u + 1] = row;
    this.#undoAt = u + 2;
    if ((flags & DIRTY) === 0) this.#markDirty(row);
    page.words[this.at] = flags | DIRTY | USED;
  }

  /** Like {@link HotRows.save}, for a row that was just created by the change. */
  saveCreated(row: number): void {
    if (this.#touchedIn !== this.#step.serial) this.#touch();
    this.#reserveUndo();
    this.#undoAt += this.width + 1;
    this.#undo[this.#undoAt++] = 0;
    this.#undo[this.#undoAt++] = row;
    this.#markDirty(row);
    this.page.words[this.at]! |= DIRTY | USED;
  }

  #markDirty(row: number): void {
    if (this.dirtyCount === this.dirty.length) {
      const grown = new Int32Array(this.dirty.length * 2);
      grown.set(this.dirty);
      this.dirty = grown;
    }
    this.dirty[this.dirtyCount++] = row;
  }

  #touch(): void {
    if (this.#touchedIn === this.#step.serial) return;
    this.#touchedIn = this.#step.serial;
    this.#dirtyMark = this.dirtyCount;
    this.#dropsMark = this.drops.length;
    this.#step.touchSettling(this);
  }

  /** Changes from here to {@link HotRows.settle} belong to no step: restore uses it. */
  beginApart(): void {
    this.#touchedIn = this.#step.serial;
  }

  #reserveUndo(): void {
    if (this.#undoAt + this.width + 3 <= this.#undo.length) return;
    const grown = new Float64Array(this.#undo.length * 2 + this.width + 3);
    grown.set(this.#undo);
    this.#undo = grown;
  }

  rollback(): void {
    const undo = this.#undo;
    const width = this.width;
    while (this.#undoAt > 0) {
      const u = this.#undoAt - width - 3;
      this.#undoAt = u;
      const row = undo[u + width + 2]!;
      const flags = undo[u + width + 1]!;
      if (row < 0) this.#attach(this.drops.pop()!);
      else if (flags === 0) this.remove(row);
      else this.#restore(row, flags, undo, u);
    }
    this.dirtyCount = this.#dirtyMark;
    this.drops.length = this.#dropsMark;
    this.#touchedIn = -1;
  }

  #restore(row: number, flags: number, undo: Float64Array, from: number): void {
    this.moveTo(row);
    const { words, cells } = this.page;
    const now = words[this.at]!;
    const first = (this.at >>> 1) + FIRST_CELL - 1;
    if (this.slabbed && (now & LIVE) !== 0) this.releasePlace(cells[first + 1]!);
    for (let i = 0; i <= this.width; i++) cells[first + i] = undo[from + i]!;
    words[this.at] = (now & ~0xff) | flags;
    if ((now & LIVE) !== (flags & LIVE)) this.#countLive(words[this.at + PANE]!, (flags & LIVE) - (now & LIVE));
  }

  settle(): void {
    if (this.slabbed) {
      const undo = this.#undo;
      const width = this.width;
      for (let end = this.#undoAt; end > 0; end -= width + 3) {
        const u = end - width - 3;
        if (undo[end - 1]! >= 0 && (undo[end - 2]! & LIVE) !== 0) this.releasePlace(undo[u + 1]!);
      }
    }
    this.#undoAt = 0;
    this.#touchedIn = -1;
  }

  /** Gives the row at hand a value (true) or takes it (false). */
  setLive(live: boolean): void {
    const words = this.page.words;
    const flags = words[this.at]!;
    words[this.at] = live ? (flags & ~UNKNOWN) | LIVE : flags & ~(UNKNOWN | LIVE);
    const change = (live ? 1 : 0) - (flags & LIVE);
    if (change !== 0) this.#countLive(words[this.at + PANE]!, change);
  }

  #countLive(paneId: number, change: number): void {
    const current = this.pane;
    const pane = current !== undefined && current.id === paneId ? current : this.panesById.get(paneId)!;
    pane.live += change;
    if (pane.live === 0 || (pane.live === 1 && change === 1)) this.#panesSorted = undefined;
  }

  /** Finds or creates a row that is to be written whole; needs no read. */
  overwrite(pane: number, key: Bytes, start: number, end: number): void {
    this.select(pane, true);
    const row = this.lookup(key, start, end);
    if (row < 0) this.saveCreated(this.create(key, start, end, 0));
    else this.save(row);
    if ((this.page.words[this.at]! & LIVE) === 0) this.setLive(true);
  }

  /** Deletes the row of a key in the current pane; needs no read. */
  delete(key: Bytes, start: number, end: number): void {
    const row = this.lookup(key, start, end);
    if (row < 0) {
      if (this.mayBeCold) this.saveCreated(this.create(key, start, end, 0));
    } else if ((this.page.words[this.at]! & (LIVE | UNKNOWN)) !== 0) {
      this.save(row);
      this.setLive(false);
    }
  }

  /** Notes that the key of the failed lookup, or the placeholder at hand, is wanted, and gives up the step. */
  miss(row: number, key: Bytes, start: number, end: number): never {
    if (row < 0) this.#cold.want(this, this.pane!, this.create(key, start, end, UNKNOWN));
    return this.#step.miss();
  }

  // --- keys

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

  /** How a row's key stands to these bytes. */
  compareKey(row: number, key: Bytes, start: number, end: number): number {
    const at = this.keyStart(row);
    return compareBytes(this.keyBytes(row), at, at + this.keyLength(row), key, start, end);
  }

  compareRows(a: number, b: number): number {
    const start = this.keyStart(b);
    return this.compareKey(a, this.keyBytes(b), start, start + this.keyLength(b));
  }

  /** The pane's rows in key order, sorted now where no order was kept. */
  sorted(pane: Pane): SortedRows {
    pane.scanned = true;
    if (pane.sorted === undefined) {
      const rows = new Int32Array(pane.rows);
      pane.collect(rows);
      pane.sorted = SortedRows.of(rows.sort((a, b) => this.compareRows(a, b)));
    }
    return pane.sorted;
  }

  // --- leaving memory

  get ownBytes(): number {
    return this.pages.count * (this.pages.rowBytes + ROW_OVERHEAD_BYTES);
  }

  /** Empties the table at once. */
  clear(): void {
    for (const pane of this.panes.values()) this.bury(pane);
    for (const pane of this.drops) this.bury(pane);
    this.drops = [];
    this.dirtyCount = 0;
    this.reclaim(Number.POSITIVE_INFINITY);
  }

  /** Lets all memory go without counting it. */
  forgetAll(): void {
    this.panes.clear();
    this.panesById.clear();
    this.pages.clear();
    this.#graveyard.length = 0;
    this.#paneValue = Number.NaN;
  }

  /** Takes a row out of index and memory. */
  remove(row: number): void {
    this.moveTo(row);
    const words = this.page.words;
    const pane = this.panesById.get(words[this.at + PANE]!)!;
    if ((words[this.at]! & LIVE) !== 0) this.#countLive(pane.id, -1);
    pane.remove(words[this.at + HASH]!, row);
    if (pane.sorted !== undefined) pane.sorted.remove((other) => (other === row ? 0 : this.compareRows(other, row)));
    this.#free(row);
  }

  #free(row: number): void {
    this.moveTo(row);
    const { words, cells } = this.page;
    const flags = words[this.at]!;
    if ((flags & LONG_KEY) !== 0) this.releasePlace(words[this.at + KEY]!);
    if (this.slabbed && (flags & LIVE) !== 0) this.releasePlace(cells[(this.at >>> 1) + FIRST_CELL]!);
    this.pages.release(row);
    this.#budget.usedBytes -= this.pages.rowBytes + ROW_OVERHEAD_BYTES;
  }

  releasePlace(place: number): void {
    const slab = this.slab;
    const before = slab.usedBytes;
    slab.release(place);
    this.#budget.usedBytes += slab.usedBytes - before;
  }
}
