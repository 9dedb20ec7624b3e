import type { TaskTable } from './encoded-cut.ts';
import { KeyFilter } from './hot/filter.ts';
import { ALLOCATED, CUT, DIRTY, HASH, LIVE, PANE, PINNED, UNKNOWN, USED } from './hot/pages.ts';
import type { Images } from './images.ts';
import type { Budget } from './state.ts';

/**
 * Takes written rows out of memory, coldest first: a hand goes round all rows of the task, clears the mark `USED`
 * of those that have it and evicts those that have not.
 */
export class Eviction {
  evictions = 0;
  readonly #tables: readonly TaskTable[];
  readonly #images: Images;
  readonly #budget: Budget;
  #table = 0;
  #page = 0;

  constructor(tables: readonly TaskTable[], images: Images, budget: Budget) {
    this.#tables = tables;
    this.#images = images;
    this.#budget = budget;
  }

  /** Evicts until this task has done its share; answers whether anything was evicted. */
  toBudget(ownBytes: () => number): boolean {
    const { maxBytes, usedBytes } = this.#budget;
    if (usedBytes <= maxBytes) return false;
    for (const { rows } of this.#tables) rows.reclaim(Number.POSITIVE_INFINITY);
    const excess = this.#budget.usedBytes - maxBytes * 0.875;
    const share = Math.min(1, (2 * ownBytes()) / Math.max(1, this.#budget.usedBytes));
    const target = this.#budget.usedBytes - excess * share;
    const before = this.evictions;
    let pages = 2 * this.#tables.length;
    for (const { rows } of this.#tables) pages += rows.pages.pages.length;
    for (let left = 2 * pages; left > 0 && this.#budget.usedBytes > target; left--) this.#sweepPage();
    return this.evictions > before;
  }

  #sweepPage(): void {
    const table = this.#tables[this.#table];
    if (table === undefined) return;
    const { rows } = table;
    const { pages } = rows;
    const page = pages.pages[this.#page];
    if (page !== undefined) {
      const first = this.#page << pages.shift;
      for (let place = 0; place < page.fresh && page.live > 0; place++) {
        const at = place * pages.rowWords;
        const flags = page.words[at]!;
        if ((flags & ALLOCATED) === 0 || (flags & (DIRTY | PINNED | UNKNOWN)) !== 0) continue;
        if ((flags & USED) !== 0) page.words[at] = flags & ~USED;
        else if (page.words[at + CUT]! <= this.#images.written) this.#evict(table, first | place, page.words, at);
      }
    }
    if (++this.#page < pages.pages.length) return;
    this.#page = 0;
    this.#table = (this.#table + 1) % this.#tables.length;
  }

  #evict({ rows }: TaskTable, row: number, words: Int32Array, at: number): void {
    const pane = rows.panesById.get(words[at + PANE]!)!;
    if (pane.dropped) return;
    if ((words[at]! & LIVE) !== 0) {
      if (pane.complete) {
        pane.complete = false;
        pane.filter = new KeyFilter();
      }
      pane.filter?.add(words[at + HASH]!);
    }
    if (words[at + CUT]! > 0) pane.evictions++;
    rows.remove(row);
    this.evictions++;
    rows.evictions++;
  }
}
