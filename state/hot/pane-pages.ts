import { FLAGS, HASH, type RowPage, type RowPages } from './pages.ts';

/** Rows of a pane's first page; each further one has room for twice as many, up to a full page. */
const FIRST_ROWS = 16;

/** The rows of one pane, in pages of its own: so a dropped pane is freed page by page, not row by row. */
export class PanePages {
  readonly #pages: RowPage[] = [];
  readonly #all: RowPages;
  #current: RowPage | undefined;
  readonly #partial: RowPage[] = [];
  #nextRows = FIRST_ROWS;

  constructor(all: RowPages) {
    this.#all = all;
  }

  /** The next row needs another page. */
  get full(): boolean {
    const page = this.#current;
    return page === undefined || (page.free === 0 && page.fresh === page.rows);
  }

  /** A row whose words are left over from its last use. */
  allocate(): number {
    const all = this.#all;
    const page = this.full ? this.#nextPage() : this.#current!;
    let place: number;
    if (page.free > 0) {
      place = page.free - 1;
      page.free = page.words[place * all.rowWords + HASH]!;
    } else {
      place = page.fresh++;
    }
    page.live++;
    all.count++;
    return (page.number << all.shift) | place;
  }

  release(row: number): void {
    const all = this.#all;
    const page = all.pages[row >>> all.shift]!;
    const place = row & all.mask;
    const at = place * all.rowWords;
    page.words[at + FLAGS] = 0;
    page.words[at + HASH] = page.free;
    page.free = place + 1;
    page.live--;
    all.count--;
    if (page === this.#current) return;
    if (page.live === 0) {
      this.#forget(page);
      all.give(page);
    } else if (!page.listed) {
      page.listed = true;
      this.#partial.push(page);
    }
  }

  get last(): RowPage | undefined {
    return this.#pages[this.#pages.length - 1];
  }

  /** Gives the last page back with all its rows; nothing more is allocated here then. */
  giveLast(): void {
    this.#all.give(this.#pages.pop()!);
    this.#current = undefined;
  }

  /** Gives every page back. */
  clear(): void {
    while (this.#pages.length > 0) this.giveLast();
  }

  #forget(page: RowPage): void {
    const last = this.#pages.pop()!;
    if (last === page) return;
    last.place = page.place;
    this.#pages[page.place] = last;
  }

  #nextPage(): RowPage {
    let page = this.#partial.pop();
    // what was listed may have been given back since
    while (page !== undefined && (page.owner !== this || page.free === 0)) page = this.#partial.pop();
    if (page === undefined) {
      page = this.#all.take(this.#nextRows);
      page.owner = this;
      page.place = this.#pages.length;
      this.#pages.push(page);
      this.#nextRows = page.rows * 2;
    }
    page.listed = false;
    this.#current = page;
    return page;
  }
}
