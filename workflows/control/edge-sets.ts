import type { NodeRow } from '../lifecycle/lifecycle.ts';
import type { SplitLists } from './split-lists.ts';

const SEPARATOR = '\0';

/**
 * Edges that have told a node, of which many may join on one. They are only ever added to at the end, so they are lists
 * that are split: what is written when an edge tells does not grow with the edges that did before.
 *
 *     <execution> \0 e <iteration> \0 <node> \0 <set> \0 <n>
 */
export class EdgeSets {
  readonly #lists: SplitLists;
  readonly #execution: string;

  constructor(lists: SplitLists, execution: string) {
    this.#lists = lists;
    this.#execution = execution;
  }

  /** As the node's row is written. No more edges are taken than have told. */
  split(iteration: string, node: number, row: NodeRow): NodeRow {
    if (!this.#lists.isSplit(row.told)) return row;
    const told = this.#lists.split(this.#name(iteration, node, 'told'), row.told);
    const taken = this.#lists.split(this.#name(iteration, node, 'taken'), row.taken);
    return told === row.told && taken === row.taken ? row : { ...row, told, taken };
  }

  /** The row of a node that was written so. */
  whole(iteration: string, node: number, row: NodeRow): NodeRow {
    if ((row.told[0] ?? 0) >= 0 && (row.taken[0] ?? 0) >= 0) return row;
    const told = this.#lists.whole<number>(this.#name(iteration, node, 'told'), row.told);
    const taken = this.#lists.whole<number>(this.#name(iteration, node, 'taken'), row.taken);
    return { ...row, told, taken };
  }

  drop(iteration: string, node: number): void {
    if (!this.#lists.isSplit([])) return;
    for (const set of ['told', 'taken'] as const) this.#lists.split(this.#name(iteration, node, set), []);
  }

  #name(iteration: string, node: number, set: 'told' | 'taken'): string {
    return `${this.#execution}${SEPARATOR}e${iteration}${SEPARATOR}${node}${SEPARATOR}${set}${SEPARATOR}`;
  }
}
