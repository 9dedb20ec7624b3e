import type { Bytes } from '../../core/bytes.ts';
import type { Settling, Step } from '../../core/step.ts';
import type { Budget } from '../state.ts';
import type { BeforeRows } from './before-rows.ts';
import { DIRTY, FIRST_CELL, LIVE, PANE, UNKNOWN, USED } from './pages.ts';
import type { Pane } from './pane.ts';
import { PaneRows } from './pane-rows.ts';
import type { RowsForm } from './row-store.ts';
import type { Slab } from './slab.ts';

/** What a table's rows ask of the room when memory does not hold the answer. */
export interface ColdReads {
  /** Notes that this row, a placeholder now, is to be read. */
  want(rows: HotRows, pane: Pane, row: number): void;
}

/**
 * The rows of one table with their dirty list and undo log. A row of a bytes table is two cells, the value's place
 * in the slab and its length; so both kinds of table share everything but who writes the cells. An entry of the undo
 * log is timestamp, cells, flags (0: the row was created) and row (-1: a pane was dropped).
 */
export class HotRows extends PaneRows implements Settling {
  dirty = new Int32Array(1024);
  dirtyCount = 0;
  /** Panes dropped in this epoch, in order. */
  drops: Pane[] = [];
  /** The forms before of what becomes dirty, where somebody asks for committed rows. */
  before: BeforeRows | undefined;
  /** Figures. */
  coldReads = 0;
  evictions = 0;
  readonly #step: Step;
  readonly #cold: ColdReads;
  #undo = new Float64Array(1024);
  #undoAt = 0;
  #touchedIn = -1;
  #dirtyMark = 0;
  #dropsMark = 0;

  constructor(form: RowsForm, slab: Slab, step: Step, budget: Budget, cold: ColdReads) {
    super(form, slab, budget);
    this.#step = step;
    this.#cold = cold;
  }

  dropPane(value: number): void {
    const pane = this.panes.get(value);
    if (pane === undefined || (pane.rows === 0 && pane.complete && !pane.logged)) return;
    this.#touch();
    this.#reserveUndo();
    this.#undoAt += this.width + 2;
    this.#undo[this.#undoAt++] = -1;
    this.drops.push(pane);
    this.detach(pane);
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
    if ((flags & DIRTY) === 0) {
      this.before?.keep(this, row, this.pane!.value, this.dirtyCount, false, false);
      this.#markDirty(row);
    }
    page.words[this.at] = flags | DIRTY | USED;
  }

  /** Like {@link HotRows.save}, for a row that was just created by the change. */
  saveCreated(row: number): void {
    if (this.#touchedIn !== this.#step.serial) this.#touch();
    this.#reserveUndo();
    this.#undoAt += this.width + 1;
    this.#undo[this.#undoAt++] = 0;
    this.#undo[this.#undoAt++] = row;
    this.before?.keep(this, row, this.pane!.value, this.dirtyCount, true, this.mayBeCold);
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
    this.#undoAt = 0;
    if (this.slabbed) this.#step.touchSettling(this);
    else this.#step.touch(this);
  }

  /** Changes from here to {@link HotRows.settle} belong to no step: restore uses it. */
  beginApart(): void {
    this.#undoAt = 0;
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
      if (row < 0) this.attach(this.drops.pop()!);
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
    if ((now & LIVE) !== (flags & LIVE)) this.countLive(words[this.at + PANE]!, (flags & LIVE) - (now & LIVE));
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

  /** Notes that a key is wanted, where it may be cold and nobody has asked for it yet. */
  ahead(pane: number, key: Bytes, start: number, end: number): void {
    if (!this.select(pane, false) || this.pane!.complete) return;
    if (this.lookup(key, start, end) >= 0 || !this.mayBeCold) return;
    this.#cold.want(this, this.pane!, this.create(key, start, end, UNKNOWN));
  }

  /** Empties the table at once. */
  clear(): void {
    for (const pane of this.panes.values()) this.bury(pane);
    for (const pane of this.drops) this.bury(pane);
    this.drops = [];
    this.dirtyCount = 0;
    this.reclaim(Number.POSITIVE_INFINITY);
  }

  /** After a cut: forgets drops, empty panes, and orders that no scan asked for lately. */
  endEpoch(): void {
    this.drops = [];
    for (const pane of this.panes.values()) {
      if (!this.ordered && !pane.scanned) pane.sorted = undefined;
      pane.scanned = false;
      if (pane.rows === 0 && pane.complete) this.forgetPane(pane);
    }
  }
}
