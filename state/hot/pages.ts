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

const PAGE_BYTES = 65536;

export class RowPage {
  readonly words: Int32Array;
  readonly cells: Float64Array;
  readonly bytes: Buffer;
  readonly number: number;
  live = 0;
  fresh = 0;
  free = 0;
  listed = false;

  constructor(number: number, byteLength: number) {
    const memory = new ArrayBuffer(byteLength);
    this.number = number;
    this.words = new Int32Array(memory);
    this.cells = new Float64Array(memory);
    this.bytes = Buffer.from(memory);
  }
}

export class RowPages {
  readonly rowWords: number;
  readonly rowBytes: number;
  readonly shift: number;
  readonly mask: number;
  readonly pages: (RowPage | undefined)[] = [];
  count = 0;
  #current: RowPage | undefined;
  readonly #partial: RowPage[] = [];
  readonly #unused: number[] = [];

  constructor(width: number) {
    this.rowWords = HEADER_WORDS + 2 + width * 2;
    this.rowBytes = this.rowWords * 4;
    this.shift = Math.max(3, Math.floor(Math.log2(PAGE_BYTES / this.rowBytes)));
    this.mask = (1 << this.shift) - 1;
  }

  /** A row whose flags are 0; its other words are left over from its last use. */
  allocate(): number {
    let page = this.#current;
    if (page === undefined || (page.free === 0 && page.fresh > this.mask)) page = this.#nextPage();
    let place: number;
    if (page.free > 0) {
      place = page.free - 1;
      page.free = page.words[place * this.rowWords + HASH]!;
    } else {
      place = page.fresh++;
    }
    page.live++;
    this.count++;
    return (page.number << this.shift) | place;
  }

  release(row: number): void {
    const page = this.pages[row >>> this.shift]!;
    const place = row & this.mask;
    const at = place * this.rowWords;
    page.words[at + FLAGS] = 0;
    page.words[at + HASH] = page.free;
    page.free = place + 1;
    page.live--;
    this.count--;
    if (page === this.#current) return;
    if (page.live === 0) {
      this.pages[page.number] = undefined;
      this.#unused.push(page.number);
    } else if (!page.listed) {
      page.listed = true;
      this.#partial.push(page);
    }
  }

  clear(): void {
    this.pages.length = 0;
    this.#partial.length = 0;
    this.#unused.length = 0;
    this.#current = undefined;
    this.count = 0;
  }

  #nextPage(): RowPage {
    for (let page = this.#partial.pop(); page !== undefined; page = this.#partial.pop()) {
      page.listed = false;
      if (this.pages[page.number] === page && page.free > 0) {
        this.#current = page;
        return page;
      }
    }
    const number = this.#unused.pop() ?? this.pages.length;
    const page = new RowPage(number, (this.mask + 1) * this.rowBytes);
    this.pages[number] = page;
    this.#current = page;
    return page;
  }
}
