import { type Bytes, compareBytes, copyBytes, EMPTY, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Step, Undoable } from '../core/step.ts';
import { FIRST_CELL, KEY, LIVE, LONG_KEY, UNKNOWN } from './hot/pages.ts';
import type { Pane } from './hot/pane.ts';
import type { HotRows } from './hot/rows.ts';
import type { SortedRows } from './hot/sorted.ts';
import type { TableParts } from './hot/table-parts.ts';
import { IMAGE_HEADER } from './image.ts';
import type { RowFormat, Scan } from './state.ts';

/** Consecutive rows of one pane as the disk held them when they were read. */
export interface Chunk {
  readonly pane: Pane;
  /** `pane.evictions` when the read was issued. */
  readonly evictions: number;
  /** Keys in `[from, to)` are covered; `to` undefined: to the end of the pane. */
  readonly from: Bytes;
  readonly to: Bytes | undefined;
  readonly keys: readonly Bytes[];
  readonly values: readonly Bytes[];
  readonly limit: number;
}

/** Range reads from disk, read ahead and kept while pinned. */
export interface RangeReads {
  chunk(pane: Pane, from: Bytes): Chunk | undefined;
  wantRange(rows: HotRows, pane: Pane, from: Bytes, to: Bytes | undefined, limit: number): void;
}

const FIRST_LIMIT = 64;
const LARGEST_LIMIT = 8192;

/**
 * A cursor over one pane in key-byte order: hot rows, over what is on disk. Rows with unwritten images are never
 * evicted, so they are among the hot ones. The place is a key, not an index: rows may come and go meanwhile. The
 * cursor takes part in the step's undo, so that a step that runs again sees the same row again.
 */
export class TableScan implements Scan, Undoable {
  key: Bytes = EMPTY;
  readonly keyStart = 0;
  keyEnd = 0;
  bytes: Bytes = EMPTY;
  start = 0;
  end = 0;
  cells: Float64Array;
  base = 1;
  timestamp: Millis = 0;

  readonly #rows: HotRows;
  readonly #step: Step;
  readonly #ranges: RangeReads;
  readonly #format: RowFormat | undefined;
  readonly #pane: number;
  readonly #to: Bytes | undefined;
  readonly #own: Float64Array;
  /** Where the next row is sought from, inclusive: the last key and a zero byte. */
  #from: Bytes;
  #fromEnd: number;
  #sorted: SortedRows | undefined;
  #version = -1;
  #place = 0;
  #chunk: Chunk | undefined;
  #chunkAt = 0;
  #touchedIn = -1;
  #savedFrom: Bytes = EMPTY;
  #savedFromEnd = 0;

  constructor(
    parts: TableParts,
    format: RowFormat | undefined,
    pane: number,
    from: Bytes | undefined,
    to: Bytes | undefined,
  ) {
    this.#rows = parts.rows;
    this.#step = parts.step;
    this.#ranges = parts.ranges;
    this.#format = format;
    this.#pane = pane;
    this.#to = to === undefined ? undefined : Buffer.from(to);
    this.#own = new Float64Array(format === undefined ? 0 : format.width + 1);
    this.cells = this.#own;
    this.#from = Buffer.from(from ?? EMPTY);
    this.#fromEnd = this.#from.length;
  }

  next(): boolean {
    if (this.#touchedIn !== this.#step.serial) {
      this.#touchedIn = this.#step.serial;
      this.#save();
      this.#step.touch(this);
    }
    const rows = this.#rows;
    const pane = rows.panes.get(this.#pane);
    if (pane === undefined || this.#isBehind(this.#to)) return false;
    const sorted = rows.sorted(pane);
    if (sorted !== this.#sorted || sorted.version !== this.#version) {
      this.#seek(sorted);
    }
    return pane.complete ? this.#nextHot(sorted) : this.#nextMerged(pane, sorted);
  }

  #seek(sorted: SortedRows): void {
    this.#place = sorted.seek((row) => this.#rows.compareKey(row, this.#from, 0, this.#fromEnd));
    this.#sorted = sorted;
    this.#version = sorted.version;
  }

  /** Every row of a scan is a step, so nothing is allocated here but to grow. */
  #save(): void {
    const length = this.#fromEnd;
    if (this.#savedFrom.length < length) this.#savedFrom = Buffer.alloc(this.#from.length);
    copyBytes(this.#savedFrom, 0, this.#from, 0, length);
    this.#savedFromEnd = length;
  }

  rollback(): void {
    const undone = this.#from;
    this.#from = this.#savedFrom;
    this.#fromEnd = this.#savedFromEnd;
    this.#savedFrom = undone;
    this.#sorted = undefined;
    this.#chunk = undefined;
    this.#touchedIn = -1;
  }

  #isBehind(to: Bytes | undefined): boolean {
    return to !== undefined && compareBytes(this.#from, 0, this.#fromEnd, to, 0, to.length) >= 0;
  }

  #hotAt(sorted: SortedRows): number {
    const row = sorted.at(this.#place);
    if (row < 0 || (this.#to !== undefined && this.#rows.compareKey(row, this.#to, 0, this.#to.length) >= 0)) return -1;
    this.#rows.moveTo(row);
    return row;
  }

  #nextHot(sorted: SortedRows): boolean {
    for (;;) {
      const row = this.#hotAt(sorted);
      if (row < 0) return false;
      const place = this.#place;
      this.#place = sorted.after(place);
      if ((this.#rows.page.words[this.#rows.at]! & LIVE) !== 0) return this.#takeHot();
    }
  }

  #nextMerged(pane: Pane, sorted: SortedRows): boolean {
    for (;;) {
      const chunk = this.#chunkHere(pane);
      const row = this.#hotAt(sorted);
      const key = this.#coldKey(chunk);
      if (key === undefined) {
        const bound = chunk.to;
        const isLast = bound === undefined || (this.#to !== undefined && compareAll(bound, this.#to) >= 0);
        if (isLast && row < 0) return false;
        if (!isLast && (row < 0 || this.#rows.compareKey(row, bound, 0, bound.length) >= 0)) {
          this.#setFrom(bound, 0, bound.length, false);
          continue;
        }
      }
      const order = row < 0 ? 1 : key === undefined ? -1 : this.#rows.compareKey(row, key, 0, key.length);
      if (row >= 0) this.#rows.moveTo(row);
      const flags = row < 0 ? 0 : this.#rows.page.words[this.#rows.at]!;
      if (order <= 0) this.#place = sorted.after(this.#place);
      if (order >= 0) this.#chunkAt++;
      if (order <= 0 && (flags & LIVE) !== 0) return this.#takeHot();
      if (order > 0 || (order === 0 && (flags & UNKNOWN) !== 0)) return this.#takeCold(chunk, this.#chunkAt - 1);
    }
  }

  #coldKey(chunk: Chunk): Bytes | undefined {
    const key = chunk.keys[this.#chunkAt];
    return key === undefined || this.#to === undefined || compareAll(key, this.#to) < 0 ? key : undefined;
  }

  /** The chunk that covers the place of the cursor, or a miss that asks for it. */
  #chunkHere(pane: Pane): Chunk {
    const from = this.#from.subarray(0, this.#fromEnd);
    const last = this.#chunk;
    if (last !== undefined && last.pane === pane && last.evictions === pane.evictions && covers(last, from))
      return last;
    const found = this.#ranges.chunk(pane, from);
    if (found === undefined) {
      const limit = last === undefined ? this.#limit : Math.min(LARGEST_LIMIT, last.limit * 2);
      this.#ranges.wantRange(this.#rows, pane, Buffer.from(from), this.#to, limit);
      this.#step.miss();
    }
    this.#chunk = found;
    this.#limit = Math.min(LARGEST_LIMIT, found.limit * 2);
    this.#chunkAt = firstFrom(found.keys, from);
    return found;
  }

  #limit = FIRST_LIMIT;

  /** The row at hand in `#rows`. */
  #takeHot(): boolean {
    const rows = this.#rows;
    const { page, at } = rows;
    const head = page.words[at]!;
    const isLong = (head & LONG_KEY) !== 0;
    const keyPlace = page.words[at + KEY]!;
    const start = isLong ? rows.slab.start(keyPlace) : (at + KEY) * 4;
    this.#setKey(isLong ? rows.slab.bytes(keyPlace) : page.bytes, start, start + (head >>> 8));
    const base = (at >>> 1) + FIRST_CELL;
    this.timestamp = page.cells[base - 1]!;
    this.cells = page.cells;
    this.base = base;
    if (this.#format === undefined) {
      const place = page.cells[base]! | 0;
      this.bytes = rows.slab.bytes(place);
      this.start = rows.slab.start(place);
      this.end = this.start + (page.cells[base + 1]! | 0);
    }
    return true;
  }

  #takeCold(chunk: Chunk, index: number): boolean {
    const key = chunk.keys[index]!;
    const value = chunk.values[index]!;
    this.#setKey(key, 0, key.length);
    this.timestamp = readInt64(value, 1);
    if (this.#format === undefined) {
      this.bytes = value;
      this.start = IMAGE_HEADER;
      this.end = value.length;
    } else {
      this.cells = this.#own;
      this.base = 1;
      this.#own[0] = this.timestamp;
      this.#format.decode(value, IMAGE_HEADER, value.length, this.#own, 1);
    }
    return true;
  }

  #setKey(source: Bytes, start: number, end: number): void {
    this.#setFrom(source, start, end, true);
    this.key = this.#from;
    this.keyEnd = end - start;
  }

  #setFrom(source: Bytes, start: number, end: number, after: boolean): void {
    const length = end - start;
    if (this.#from.length <= length) this.#from = Buffer.alloc(length * 2 + 16);
    copyBytes(this.#from, 0, source, start, end);
    this.#fromEnd = length;
    if (after) this.#from[this.#fromEnd++] = 0;
  }
}

/**
 * V8 sizes the objects of a class by the first few that are made. Scans live shortly: where a garbage collection
 * clears those first ones away, it concludes that they had no fields, and every later scan becomes a dictionary, many
 * times slower. So they are made here, with no collection in between.
 */
function settleShape(): void {
  const nothing = {} as TableParts;
  for (let i = 0; i < 16; i++) new TableScan(nothing, undefined, 0, undefined, undefined);
}
settleShape();

function compareAll(a: Bytes, b: Bytes): number {
  return compareBytes(a, 0, a.length, b, 0, b.length);
}

export function covers(chunk: Chunk, from: Bytes): boolean {
  return compareAll(chunk.from, from) <= 0 && (chunk.to === undefined || compareAll(from, chunk.to) < 0);
}

function firstFrom(keys: readonly Bytes[], from: Bytes): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAll(keys[middle]!, from) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
