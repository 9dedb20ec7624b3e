import { type Bytes, readInt64 } from '../core/bytes.ts';
import type { Disk } from './disk.ts';
import { behind, diskKey, panePrefix, prefixBytes } from './disk-key.ts';
import type { TaskTable } from './encoded-cut.ts';
import { FIRST_CELL, PINNED, UNKNOWN } from './hot/pages.ts';
import type { Pane } from './hot/pane.ts';
import type { ColdReads, HotRows } from './hot/rows.ts';
import { checkImage, IMAGE_HEADER } from './image.ts';
import { type Chunk, covers, type RangeReads } from './scan.ts';

interface RowRead {
  readonly rows: HotRows;
  readonly pane: Pane;
  readonly row: number;
}

interface RangeRead {
  readonly rows: HotRows;
  readonly pane: Pane;
  readonly from: Bytes;
  readonly to: Bytes | undefined;
  readonly limit: number;
}

/**
 * What records wanted to read and memory did not hold. A wanted key has a placeholder row from the moment it is
 * wanted: it cannot be evicted, and a write that comes before the answer fills it, so that the answer finds it
 * filled and is dropped. Range reads are kept as they came, beside the hot rows.
 */
export class WantedReads implements ColdReads, RangeReads {
  coldReads = 0;
  #rowReads: RowRead[] = [];
  #rangeReads: RangeRead[] = [];
  #pinned: RowRead[] = [];
  #chunks: Chunk[] = [];
  #underway: Promise<void> | undefined;
  readonly #tables = new Map<HotRows, TaskTable>();
  readonly #disk: Disk | undefined;

  constructor(disk: Disk | undefined) {
    this.#disk = disk;
  }

  add(table: TaskTable): void {
    this.#tables.set(table.rows, table);
  }

  get wanted(): number {
    return this.#rowReads.length + this.#rangeReads.length;
  }

  want(rows: HotRows, pane: Pane, row: number): void {
    this.#rowReads.push({ rows, pane, row });
  }

  chunk(pane: Pane, from: Bytes): Chunk | undefined {
    return this.#chunks.find(
      (chunk) => chunk.pane === pane && chunk.evictions === pane.evictions && covers(chunk, from),
    );
  }

  wantRange(rows: HotRows, pane: Pane, from: Bytes, to: Bytes | undefined, limit: number): void {
    const same = this.#rangeReads.find((read) => read.pane === pane && read.from.equals(from));
    if (same === undefined) this.#rangeReads.push({ rows, pane, from, to, limit });
  }

  /** Reads all that is wanted; two calls at once share the one read. */
  async fetch(): Promise<void> {
    while (this.#underway !== undefined) await this.#underway;
    if (this.wanted === 0) return;
    const reading = this.#read();
    this.#underway = reading.finally(() => {
      this.#underway = undefined;
    });
    await this.#underway;
  }

  async #read(): Promise<void> {
    const rowReads = this.#rowReads;
    const rangeReads = this.#rangeReads;
    this.#rowReads = [];
    this.#rangeReads = [];
    const keys = rowReads.map((read) => this.#keyOf(read));
    try {
      const chunks = Promise.all(rangeReads.map((read) => this.#readRange(read)));
      const [values, ranges] = await Promise.all([this.#disk!.getMany(keys), chunks]);
      for (let i = 0; i < rowReads.length; i++) this.#install(rowReads[i]!, values[i]!);
      this.#chunks.push(...ranges);
      this.coldReads += rowReads.length + rangeReads.length;
      for (const { rows } of rowReads) rows.coldReads++;
      for (const { rows } of rangeReads) rows.coldReads++;
    } catch (thrown) {
      this.#rowReads.push(...rowReads);
      this.#rangeReads.push(...rangeReads);
      throw thrown;
    }
  }

  #keyOf({ rows, pane, row }: RowRead): Bytes {
    if (pane.dropped) return Buffer.alloc(2);
    const table = this.#tables.get(rows)!;
    rows.moveTo(row);
    rows.page.words[rows.at]! |= PINNED;
    const start = rows.keyStart(row);
    return diskKey(table.id, table.windowed, pane.value, rows.keyBytes(row), start, start + rows.keyLength(row));
  }

  #install(read: RowRead, value: Bytes | null): void {
    const { rows, pane, row } = read;
    if (pane.dropped) return;
    this.#pinned.push(read);
    rows.moveTo(row);
    const { words } = rows.page;
    if ((words[rows.at]! & UNKNOWN) === 0) return;
    if (value === null) {
      words[rows.at]! &= ~UNKNOWN;
      return;
    }
    const { name, format } = this.#tables.get(rows)!;
    checkImage(name, value, 0, value.length);
    const { cells } = rows.page;
    const base = (rows.at >>> 1) + FIRST_CELL;
    cells[base - 1] = readInt64(value, 1);
    if (format !== undefined) format.decode(value, IMAGE_HEADER, value.length, cells, base);
    else {
      cells[base] = rows.copyIn(value, IMAGE_HEADER, value.length);
      cells[base + 1] = value.length - IMAGE_HEADER;
    }
    rows.setLive(true);
  }

  async #readRange({ rows, pane, from, to, limit }: RangeRead): Promise<Chunk> {
    const table = this.#tables.get(rows)!;
    const prefix = panePrefix(table.id, table.windowed, pane.value);
    const last = to === undefined ? behind(prefix) : Buffer.concat([prefix, to]);
    const { evictions } = pane;
    const found = await this.#disk!.range(Buffer.concat([prefix, from]), last, limit);
    const skip = prefixBytes(table.windowed);
    const keys = found.keys.map((key) => key.subarray(skip));
    for (const value of found.values) checkImage(table.name, value, 0, value.length);
    const end = keys.length < limit ? to : Buffer.concat([keys[keys.length - 1]!, Buffer.alloc(1)]);
    return { pane, evictions, from, to: end, keys, values: found.values, limit };
  }

  /** Rows that were read may be evicted again. */
  unpin(): void {
    for (const { rows, pane, row } of this.#pinned) {
      if (pane.dropped) continue;
      rows.moveTo(row);
      rows.page.words[rows.at]! &= ~PINNED;
    }
    this.#pinned = [];
    this.#chunks = [];
  }

  /** Waits until no read is under way. */
  async idle(): Promise<void> {
    while (this.#underway !== undefined) await this.#underway.catch(() => {});
  }

  /** Forgets everything about a table that is being emptied. */
  forget(rows: HotRows): void {
    this.#rowReads = this.#rowReads.filter((read) => read.rows !== rows);
    this.#rangeReads = this.#rangeReads.filter((read) => read.rows !== rows);
    this.#pinned = this.#pinned.filter((read) => read.rows !== rows);
  }
}
