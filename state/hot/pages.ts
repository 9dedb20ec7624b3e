/**
 * Rows of equal size in pages. A row is numbered `page << shift | place`; its words:
 *
 *     0     flags, and the key's length from bit 8
 *     1     hash of the key (in a free row: the next free place + 1)
 *     2, 3  cut and entry of its newest encoded image
 *     4     id of its pane
 *     5..7  the key, or in word 5 its place in the slab
 *     8, 9  timestamp, a double; then the cells
 *
 * Keys and cells share a cache line, so a lookup costs one line of the index and one or two of the row.
 */
export const FLAGS = 0;
export const HASH = 1;
export const CUT = 2;
export const ENTRY = 3;
export const PANE = 4;
export const KEY = 5;
const HEADER_WORDS = 8;
/** From half the row's first word to its first cell; the timestamp stands before it. */
export const FIRST_CELL = HEADER_WORDS / 2 + 1;

/** The row has a value. Without it and without `UNKNOWN` the row is known to be absent. */
export const LIVE = 1;
/** A read is wanted or under way. */
export const UNKNOWN = 2;
export const DIRTY = 4;
/** Used since the eviction's hand last passed. */
export const USED = 8;
export const PINNED = 16;
/** The key lies in the slab. */
export const LONG_KEY = 32;
export const ALLOCATED = 64;

/** Of a full page, at most. */
const PAGE_BYTES = 65536;
/** Pages of one size that are kept for the next pane. */
const MOST_SPARE = 16;

export class RowPage {
  readonly words: Int32Array;
  readonly cells: Float64Array;
  readonly bytes: Buffer;
  /** Room for so many. */
  readonly rows: number;
  number = -1;
  /** Whose page it is, by identity, and where it stands among the pages of that one. */
  owner: object | undefined;
  place = 0;
  live = 0;
  /** Places from here on were not used since the page was taken; what stands there is left over. */
  fresh = 0;
  /** The first free place before `fresh` + 1, or 0. */
  free = 0;
  listed = false;

  constructor(rows: number, rowBytes: number) {
    const memory = new ArrayBuffer(rows * rowBytes);
    this.rows = rows;
    this.words = new Int32Array(memory);
    this.cells = new Float64Array(memory);
    this.bytes = Buffer.from(memory);
  }
}

/** The pages of one table, by number. Pages given back serve the next pane. */
export class RowPages {
  readonly rowWords: number;
  readonly rowBytes: number;
  readonly shift: number;
  readonly mask: number;
  readonly pages: (RowPage | undefined)[] = [];
  /** Rows in all pages. */
  count = 0;
  readonly #spare: RowPage[][] = [];
  readonly #unused: number[] = [];

  constructor(width: number) {
    this.rowWords = HEADER_WORDS + 2 + width * 2;
    this.rowBytes = this.rowWords * 4;
    this.shift = Math.max(3, Math.floor(Math.log2(PAGE_BYTES / this.rowBytes)));
    this.mask = (1 << this.shift) - 1;
  }

  /** A page without rows, with room for `rows`, a power of two; for a full page at most. */
  take(rows: number): RowPage {
    const size = Math.min(rows, this.mask + 1);
    const page = this.#spareOf(size).pop() ?? new RowPage(size, this.rowBytes);
    page.number = this.#unused.pop() ?? this.pages.length;
    this.pages[page.number] = page;
    return page;
  }

  /** Takes a page back with all its rows. */
  give(page: RowPage): void {
    this.pages[page.number] = undefined;
    this.#unused.push(page.number);
    this.count -= page.live;
    page.owner = undefined;
    page.live = 0;
    page.fresh = 0;
    page.free = 0;
    page.listed = false;
    const spare = this.#spareOf(page.rows);
    if (spare.length < MOST_SPARE) spare.push(page);
  }

  clear(): void {
    this.pages.length = 0;
    this.#spare.length = 0;
    this.#unused.length = 0;
    this.count = 0;
  }

  #spareOf(rows: number): RowPage[] {
    const size = 31 - Math.clz32(rows);
    while (this.#spare.length <= size) this.#spare.push([]);
    return this.#spare[size]!;
  }
}
