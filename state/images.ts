import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Millis, Position } from '../core/ids.ts';
import { COLUMNS, EncodedCut, NEWER, PANE_ID, ROW, TABLE, type TaskTable, VALUE_START } from './encoded-cut.ts';
import { CUT, DIRTY, ENTRY, FLAGS, LIVE, PANE, PINNED } from './hot/pages.ts';
import type { Budget } from './state.ts';

/** Committed cuts are merged when this many bytes of them are out of date, and more than are not. */
const MERGE_BYTES = 2 << 20;
/** Bytes of a row's image where none is known yet. */
const FIRST_ROW_BYTES = 64;

type Visit = (cut: EncodedCut, entry: number) => void;

/**
 * The encoded cuts that are not on disk yet. Every row that has an image here says where its newest one is (words
 * `CUT` and `ENTRY`), and every image says which cut holds a newer one; so the newest committed image of a key is
 * known without looking anything up. A row is on disk when its cut is at most `written`.
 */
export class Images {
  /** In order; the first ones committed. */
  readonly cuts: EncodedCut[] = [];
  committed = 0;
  written = 0;
  /** Cuts up to this are being written now. */
  writing = 0;
  since: Millis | undefined;
  /** In which cut a pane was dropped, by pane id. */
  readonly #droppedIn = new Map<number, number>();
  #next = 1;
  /** Of the images of the newest cut that had any. */
  #rowBytes = FIRST_ROW_BYTES;
  /** Of the committed cuts here; asked in every turn of a loop, when there may be hundreds of them. */
  #committedBytes = 0;
  #deadBytes = 0;
  readonly #tables: readonly TaskTable[];
  readonly #clock: Clock;
  readonly #budget: Budget;
  readonly #onDisk: boolean;

  constructor(tables: readonly TaskTable[], clock: Clock, budget: Budget, onDisk: boolean) {
    this.#tables = tables;
    this.#clock = clock;
    this.#budget = budget;
    this.#onDisk = onDisk;
  }

  get retainedBytes(): number {
    return this.cuts.reduce((sum, cut) => sum + cut.bytes, 0);
  }

  get unwrittenBytes(): number {
    const oldest = this.cuts[0];
    if (oldest === undefined || oldest.number > this.committed) return 0;
    return Math.max(1, this.#committedBytes - this.#deadBytes);
  }

  /** The number of the newest cut. */
  get lastCut(): number {
    return this.#next - 1;
  }

  /** Encodes the dirty rows of all tables and makes them clean. */
  encode(): EncodedCut {
    const rows = this.#tables.reduce((sum, table) => sum + table.rows.dirtyCount + table.rows.drops.length, 0);
    const bytes = Math.ceil(rows * this.#rowBytes * 1.1);
    const cut = new EncodedCut(this.#next++, this.#clock.now(), this.#tables, rows, bytes);
    for (let t = 0; t < this.#tables.length; t++) {
      const { rows } = this.#tables[t]!;
      for (const pane of rows.drops) {
        if (pane.logged) cut.addDrop(t, pane.value, pane.id);
        this.#droppedIn.set(pane.id, cut.number);
      }
      this.#encodeRows(cut, t);
      for (const pane of rows.drops) rows.bury(pane);
      rows.endEpoch();
    }
    if (cut.rows > 0) this.#rowBytes = cut.bytes / cut.rows;
    this.cuts.push(cut);
    this.#budget.usedBytes += cut.bytes;
    return cut;
  }

  #encodeRows(cut: EncodedCut, t: number): void {
    const { rows } = this.#tables[t]!;
    const { dirty } = rows;
    let pane = rows.pane;
    let older: EncodedCut | undefined;
    for (let i = 0; i < rows.dirtyCount; i++) {
      const row = dirty[i]!;
      rows.moveTo(row);
      const { words } = rows.page;
      const { at } = rows;
      const paneId = words[at + PANE]!;
      if (pane === undefined || pane.id !== paneId) pane = rows.panesById.get(paneId)!;
      if (pane.dropped) continue;
      const live = (words[at + FLAGS]! & LIVE) !== 0;
      const before = words[at + CUT]!;
      words[at + FLAGS]! &= ~DIRTY;
      if (!live && before === 0 && pane.complete) {
        rows.remove(row);
        continue;
      }
      if (before > this.written && this.#onDisk) {
        if (older === undefined || older.number !== before) older = this.#cut(before);
        older.entries[words[at + ENTRY]! * COLUMNS + NEWER] = cut.number;
        const size = older.sizeOf(words[at + ENTRY]!);
        older.dead += size;
        if (before <= this.committed) this.#deadBytes += size;
      }
      words[at + CUT] = cut.number;
      words[at + ENTRY] = cut.rows;
      pane.logged = true;
      cut.addRow(t, pane.value, row, live);
      if (!live && !this.#onDisk) rows.remove(row);
    }
    rows.dirtyCount = 0;
  }

  #cut(number: number): EncodedCut {
    const found = this.cuts.findLast((cut) => cut.number === number);
    assert(found !== undefined, () => `cut ${number} of a row is not kept`);
    return found;
  }

  /** The panes of a table that is emptied, and its positions, are never written. */
  forget(table: TaskTable): void {
    for (const pane of table.rows.panesById.values()) this.#droppedIn.set(pane.id, 0);
    for (const cut of this.cuts) {
      const positions = new Map(cut.positions);
      positions.delete(table.name);
      cut.positions = positions;
    }
  }

  /** The cut is in the log for good. */
  commit(cut: EncodedCut, positions: ReadonlyMap<string, Position>): void {
    const last = this.cuts.findLastIndex((each) => each.number <= this.committed);
    const first = this.cuts[last + 1];
    assert(first === cut, () => `cut ${cut.number} is committed before cut ${first?.number}`);
    cut.positions = positions;
    this.committed = cut.number;
    this.#count(cut, 1);
    if (!this.#onDisk) {
      this.wrote(cut.number);
      return;
    }
    this.since ??= this.#clock.now();
    if (this.#deadBytes <= MERGE_BYTES) return;
    const cuts = this.cuts.filter((each) => each.number > this.writing && each.number <= this.committed);
    const dead = cuts.reduce((sum, each) => sum + each.dead, 0);
    const bytes = cuts.reduce((sum, each) => sum + each.bytes, 0);
    if (cuts.length > 1 && dead > MERGE_BYTES && dead * 2 > bytes) this.#merge(cuts);
  }

  /** Visits every entry of committed cuts up to `number` that no other of them makes out of date. */
  forEachNewest(number: number, visit: Visit): void {
    const behind = this.cuts.findIndex((cut) => cut.number > number);
    this.#eachNewest(behind < 0 ? this.cuts : this.cuts.slice(0, behind), number, visit);
  }

  #eachNewest(cuts: readonly EncodedCut[], upTo: number, visit: Visit): void {
    for (const cut of cuts) for (let i = 0; i < cut.rows; i++) if (this.#isNewest(cut, i, upTo)) visit(cut, i);
  }

  #isNewest(cut: EncodedCut, entry: number, upTo: number): boolean {
    const e = entry * COLUMNS;
    const newer = cut.entries[e + NEWER]!;
    if (newer !== 0 && newer <= upTo) return false;
    if (cut.entries[e + ROW]! < 0 || this.#droppedIn.size === 0) return true;
    const dropped = this.#droppedIn.get(cut.entries[e + PANE_ID]!);
    return dropped === undefined || dropped > upTo;
  }

  #merge(cuts: readonly EncodedCut[]): void {
    const { number, timestamp } = cuts[cuts.length - 1]!;
    let rows = 0;
    let bytes = 0;
    this.#eachNewest(cuts, number, (cut, entry) => {
      rows++;
      bytes += cut.sizeOf(entry);
    });
    const merged = new EncodedCut(number, timestamp, this.#tables, rows, bytes);
    this.#eachNewest(cuts, number, (cut, entry) => {
      this.#point(cut, entry, merged);
      merged.addCopy(cut, entry);
      if (merged.entries[(merged.rows - 1) * COLUMNS + NEWER] !== 0) merged.dead += merged.sizeOf(merged.rows - 1);
    });
    merged.positions = new Map(cuts.flatMap(({ positions }) => [...positions]));
    this.#budget.usedBytes += merged.bytes;
    this.cuts.splice(this.cuts.indexOf(cuts[0]!), cuts.length, merged);
    this.#count(merged, 1);
    for (const cut of cuts) this.#letGo(cut);
  }

  /** A committed cut comes, or goes. */
  #count(cut: EncodedCut, sign: 1 | -1): void {
    this.#committedBytes += sign * cut.bytes;
    this.#deadBytes += sign * cut.dead;
  }

  #letGo(cut: EncodedCut): void {
    this.#count(cut, -1);
    this.#budget.usedBytes -= cut.bytes;
    cut.release();
  }

  /** Tells the row of an entry that its image moves to the end of another cut. */
  #point(cut: EncodedCut, entry: number, merged: EncodedCut): void {
    const e = entry * COLUMNS;
    const row = cut.entries[e + ROW]!;
    if (row < 0) return;
    const { rows } = this.#tables[cut.entries[e + TABLE]!]!;
    const pane = rows.panesById.get(cut.entries[e + PANE_ID]!);
    if (pane === undefined || this.#droppedIn.has(pane.id)) return;
    rows.moveTo(row);
    const { words } = rows.page;
    if (words[rows.at + CUT] !== cut.number || words[rows.at + ENTRY] !== entry) return;
    words[rows.at + CUT] = merged.number;
    words[rows.at + ENTRY] = merged.rows;
  }

  /** Cuts up to this number are on disk: they are let go, and rows that are deleted there leave memory. */
  wrote(number: number): void {
    this.written = number;
    while (this.cuts.length > 0 && this.cuts[0]!.number <= number) {
      const cut = this.cuts.shift()!;
      if (this.#onDisk) this.#forgetDeleted(cut);
      this.#letGo(cut);
    }
    for (const [pane, dropped] of this.#droppedIn)
      if (dropped <= number && (dropped > 0 || this.cuts.length === 0)) this.#droppedIn.delete(pane);
    this.since = this.committed > number ? this.#clock.now() : undefined;
  }

  #forgetDeleted(cut: EncodedCut): void {
    const { entries } = cut;
    for (let i = 0, e = 0; i < cut.rows; i++, e += COLUMNS) {
      if (entries[e + VALUE_START]! >= 0 || entries[e + NEWER] !== 0) continue;
      const { rows } = this.#tables[entries[e + TABLE]!]!;
      const pane = rows.panesById.get(entries[e + PANE_ID]!);
      if (pane === undefined || pane.dropped) continue;
      const row = entries[e + ROW]!;
      rows.moveTo(row);
      const { words } = rows.page;
      if (words[rows.at + CUT] !== cut.number || (words[rows.at]! & (LIVE | DIRTY | PINNED)) !== 0) continue;
      pane.evictions++;
      rows.remove(row);
    }
  }
}
