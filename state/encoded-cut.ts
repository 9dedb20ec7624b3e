import { lend, recycle } from '../core/buffer-pool.ts';
import { type Bytes, ByteWriter, EMPTY, readInt64, writeInt64 } from '../core/bytes.ts';
import type { Millis, Position } from '../core/ids.ts';
import { PANE_BYTES, prefixBytes, writePrefix } from './disk-key.ts';
import { FIRST_CELL, KEY, LONG_KEY, PANE } from './hot/pages.ts';
import type { HotRows } from './hot/rows.ts';
import { IMAGE_VERSION, writeImageHeader } from './image.ts';
import type { Cut, RowFormat } from './state.ts';

/** A table as the task holds it. */
export interface TaskTable {
  readonly name: string;
  readonly id: number;
  readonly windowed: boolean;
  readonly rows: HotRows;
  readonly format: RowFormat | undefined;
}

/** Columns of an entry: where the key lies on disk (`KEY_AT`), its own length, the value, and whose it is. */
export const KEY_AT = 0;
export const KEY_LENGTH = 1;
/** -1: a deletion. */
export const VALUE_START = 2;
export const VALUE_END = 3;
/** -1: the drop of a pane. */
export const ROW = 4;
export const PANE_ID = 5;
/** The number of the cut with a newer image of the key, or 0. */
export const NEWER = 6;
export const TABLE = 7;
export const COLUMNS = 8;

const NO_ENTRIES = new Int32Array(0);

/** Room for so many entries at least. */
function lendEntries(rows: number): Int32Array {
  const { buffer, length } = lend(Math.max(16, rows) * COLUMNS * Int32Array.BYTES_PER_ELEMENT);
  return new Int32Array(buffer, 0, Math.floor(length / Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Images of rows, each as `prefix, key, pane, value`: prefix and key are the key on disk, key and pane the key of
 * the changelog, so neither is copied again. Its memory is lent: each epoch takes as much as its rows need, and memory
 * that came and went would be the collector's whole work.
 */
export class EncodedCut implements Cut {
  readonly number: number;
  /** Of deletions, which have none of their own. */
  readonly timestamp: Millis;
  readonly tables: readonly TaskTable[];
  readonly out: ByteWriter;
  entries: Int32Array;
  rows = 0;
  /** Bytes of images that a newer cut replaces. */
  dead = 0;
  positions: ReadonlyMap<string, Position> = new Map();

  constructor(
    number: number,
    timestamp: Millis,
    tables: readonly TaskTable[],
    expectedRows: number,
    expectedBytes: number,
  ) {
    this.number = number;
    this.timestamp = timestamp;
    this.tables = tables;
    this.out = new ByteWriter(lend(expectedBytes));
    this.entries = lendEntries(expectedRows);
  }

  /** Gives its memory back; nothing of it is read any more. */
  release(): void {
    recycle(this.out.bytes);
    recycle(this.entries);
    this.out.clear();
    this.out.bytes = EMPTY;
    this.entries = NO_ENTRIES;
    this.rows = 0;
  }

  get bytes(): number {
    return this.out.at;
  }

  forEach(visit: Parameters<Cut['forEach']>[0]): void {
    const { entries } = this;
    const { bytes } = this.out;
    for (let i = 0, e = 0; i < this.rows; i++, e += COLUMNS) {
      const table = this.tables[entries[e + TABLE]!]!;
      const keyStart = entries[e + KEY_AT]! + prefixBytes(table.windowed);
      const keyEnd = keyStart + entries[e + KEY_LENGTH]! + (table.windowed ? PANE_BYTES : 0);
      const valueStart = entries[e + VALUE_START]!;
      const timestamp = valueStart < 0 || entries[e + ROW]! < 0 ? this.timestamp : readInt64(bytes, valueStart + 1);
      visit(table.name, timestamp, bytes, keyStart, keyEnd, valueStart, entries[e + VALUE_END]!);
    }
  }

  sizeOf(entry: number): number {
    const e = entry * COLUMNS;
    return this.entries[e + VALUE_END]! - this.entries[e + KEY_AT]!;
  }

  /** The image of the row at hand in `table.rows`. */
  addRow(tableIndex: number, pane: number, row: number, live: boolean): void {
    const table = this.tables[tableIndex]!;
    const rows = table.rows;
    const { page, at: word } = rows;
    const head = page.words[word]!;
    const keyLength = head >>> 8;
    const place = page.words[word + KEY]!;
    const at =
      (head & LONG_KEY) === 0
        ? this.#key(table, pane, page.bytes, (word + KEY) * 4, keyLength)
        : this.#key(table, pane, rows.slab.bytes(place), rows.slab.start(place), keyLength);
    const { out } = this;
    let valueStart = -1;
    if (live) {
      valueStart = out.at;
      const { cells } = page;
      const base = (word >>> 1) + FIRST_CELL;
      writeImageHeader(out, cells[base - 1]!);
      if (table.format !== undefined) table.format.encode(cells, base, out);
      else {
        const place = cells[base]! | 0;
        const start = rows.slab.start(place);
        out.copy(rows.slab.bytes(place), start, start + (cells[base + 1]! | 0));
      }
    }
    this.#entry(at, keyLength, valueStart, row, tableIndex);
    this.entries[(this.rows - 1) * COLUMNS + PANE_ID] = page.words[word + PANE]!;
  }

  addDrop(tableIndex: number, pane: number, paneId: number): void {
    const at = this.#key(this.tables[tableIndex]!, pane, this.out.bytes, 0, 0);
    const valueStart = this.out.at;
    this.out.byte(IMAGE_VERSION);
    this.#entry(at, 0, valueStart, -1, tableIndex);
    this.entries[(this.rows - 1) * COLUMNS + PANE_ID] = paneId;
  }

  /** Copies an entry of another cut of the same tables. */
  addCopy(from: EncodedCut, entry: number): void {
    const e = entry * COLUMNS;
    const at = this.out.at;
    const start = from.entries[e + KEY_AT]!;
    const valueStart = from.entries[e + VALUE_START]!;
    this.out.copy(from.out.bytes, start, from.entries[e + VALUE_END]!);
    this.#entry(
      at,
      from.entries[e + KEY_LENGTH]!,
      valueStart < 0 ? -1 : valueStart - start + at,
      from.entries[e + ROW]!,
      from.entries[e + TABLE]!,
    );
    const to = (this.rows - 1) * COLUMNS;
    this.entries[to + PANE_ID] = from.entries[e + PANE_ID]!;
    this.entries[to + NEWER] = from.entries[e + NEWER]!;
  }

  #key(table: TaskTable, pane: number, key: Bytes, start: number, length: number): number {
    const { out } = this;
    const at = out.at;
    out.reserve(length + 2 + 2 * PANE_BYTES);
    out.at = writePrefix(out.bytes, at, table.id, table.windowed, pane);
    out.copy(key, start, start + length);
    if (table.windowed) {
      out.reserve(PANE_BYTES);
      writeInt64(out.bytes, out.at, pane);
      out.at += PANE_BYTES;
    }
    return at;
  }

  #entry(keyAt: number, keyLength: number, valueStart: number, row: number, tableIndex: number): void {
    const e = this.rows * COLUMNS;
    if (e + COLUMNS > this.entries.length) {
      const grown = lendEntries(this.rows * 2);
      grown.set(this.entries);
      recycle(this.entries);
      this.entries = grown;
    }
    const entries = this.entries;
    entries[e + KEY_AT] = keyAt;
    entries[e + KEY_LENGTH] = keyLength;
    entries[e + VALUE_START] = valueStart;
    entries[e + VALUE_END] = this.out.at;
    entries[e + ROW] = row;
    entries[e + NEWER] = 0;
    entries[e + TABLE] = tableIndex;
    this.rows++;
  }
}
