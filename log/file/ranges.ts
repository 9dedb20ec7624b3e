import type { Position } from '../../core/ids.ts';

/** Disjoint closed ranges of positions in rising order. Neighbours that touch become one. */
export class Ranges {
  /** first, last, first, last ... */
  #bounds: Position[];

  constructor(bounds: readonly Position[] = []) {
    this.#bounds = [...bounds];
  }

  get size(): number {
    return this.#bounds.length / 2;
  }

  bounds(): readonly Position[] {
    return this.#bounds;
  }

  add(first: Position, last: Position): void {
    const bounds = this.#bounds;
    let from = bounds.length;
    while (from > 0 && bounds[from - 1]! >= first - 1) from -= 2;
    let to = from;
    while (to < bounds.length && bounds[to]! <= last + 1) to += 2;
    if (to > from) {
      first = Math.min(first, bounds[from]!);
      last = Math.max(last, bounds[to - 1]!);
    }
    bounds.splice(from, to - from, first, last);
  }

  has(position: Position): boolean {
    const bounds = this.#bounds;
    if (bounds.length === 0 || position > bounds[bounds.length - 1]!) return false;
    let low = 0;
    let high = bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle * 2 + 1]! < position) low = middle + 1;
      else high = middle;
    }
    return low * 2 < bounds.length && bounds[low * 2]! <= position;
  }

  /** Forgets ranges that lie wholly below `position`. */
  dropBelow(position: Position): void {
    let keep = 0;
    while (keep < this.#bounds.length && this.#bounds[keep + 1]! < position) keep += 2;
    if (keep > 0) this.#bounds.splice(0, keep);
  }

  /** Forgets what lies in `[first, last]`; a range that reaches beyond is cut. */
  remove(first: Position, last: Position): void {
    const kept: Position[] = [];
    const bounds = this.#bounds;
    for (let i = 0; i < bounds.length; i += 2) {
      const from = bounds[i]!;
      const to = bounds[i + 1]!;
      if (to < first || from > last) kept.push(from, to);
      else {
        if (from < first) kept.push(from, first - 1);
        if (to > last) kept.push(last + 1, to);
      }
    }
    this.#bounds = kept;
  }
}
