import type { Position } from '../core/ids.ts';

/** A table of panes, as it is now. */
export interface PanedTable {
  /** Every pane that has rows, or had until they were deleted one by one. */
  panes(): readonly number[];
  /** Where its changelog ends behind what is committed; `undefined` where that is not known. */
  readonly position: Position | undefined;
}

/**
 * How much of a table's changelog tells only of panes that have been dropped: what lies before the first row of every
 * pane that is there. A pane that was not there at the last look has its first row behind where the changelog ended
 * then. Of panes that are there at the first look nothing is known: nothing is said until they are dropped.
 */
export class PaneBounds {
  readonly #table: PanedTable;
  #firsts: ReadonlyMap<number, Position> | undefined;
  #lastEnd: Position = 0;

  constructor(table: PanedTable) {
    this.#table = table;
  }

  /** The position before which nothing is wanted, once what was done until now is committed. */
  look(): Position {
    const { position } = this.#table;
    if (position === undefined) return 0;
    const before = this.#firsts;
    const firsts = new Map<number, Position>();
    let bound = position;
    for (const pane of this.#table.panes()) {
      const first = before === undefined ? 0 : (before.get(pane) ?? this.#lastEnd);
      firsts.set(pane, first);
      bound = Math.min(bound, first);
    }
    this.#firsts = firsts;
    this.#lastEnd = position;
    return bound;
  }
}
