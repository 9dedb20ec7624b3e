import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { NodeRow } from '../lifecycle/lifecycle.ts';

/** So many edges stand in one row. */
const ROW_EDGES = 64;
const SEPARATOR = '\0';
const SETS = ['told', 'taken'] as const;

type Store = Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete'>;

/**
 * Edges that have told a node on which many join. They are only ever added to at the end, so each 64 of them are a row of
 * their own, written once; the row of the node holds how many there are of those, below zero, and the edges behind them.
 * So what is written when an edge tells does not grow with the edges that did before.
 *
 *     <execution> \0 e <iteration> \0 <node> \0 <set> \0 <n>
 */
export class EdgeSets {
  readonly #store: Store;
  readonly #execution: string;
  /** Rows as they stand in the store, by what they are called but for their number. */
  readonly #kept = new Map<string, (readonly number[])[]>();

  constructor(store: Store, execution: string) {
    this.#store = store;
    this.#execution = execution;
  }

  /** As the node's row is written; what has a row of its own is written there, where it is not yet. */
  split(iteration: string, node: number, row: NodeRow): NodeRow {
    const isShort = row.told.length < ROW_EDGES && row.taken.length < ROW_EDGES;
    if (isShort && !SETS.some((set) => this.#kept.has(this.#name(iteration, node, set)))) return row;
    const [told, taken] = SETS.map((set) => this.#splitSet(this.#name(iteration, node, set), row[set]));
    return { ...row, told: told!, taken: taken! };
  }

  /** The row of a node that was written so. */
  whole(iteration: string, node: number, row: NodeRow): NodeRow {
    if (!SETS.some((set) => (row[set][0] ?? 0) < 0)) return row;
    const [told, taken] = SETS.map((set) => this.#wholeSet(this.#name(iteration, node, set), row[set]));
    return { ...row, told: told!, taken: taken! };
  }

  drop(iteration: string, node: number): void {
    for (const set of SETS) this.#splitSet(this.#name(iteration, node, set), []);
  }

  #splitSet(name: string, edges: readonly number[]): readonly number[] {
    const kept = this.#kept.get(name) ?? [];
    const count = Math.floor(edges.length / ROW_EDGES);
    if (count === 0 && kept.length === 0) return edges;
    for (let n = 0; n < count; n++) {
      const row = edges.slice(n * ROW_EDGES, (n + 1) * ROW_EDGES);
      if (kept[n]?.every((edge, i) => edge === row[i])) continue;
      this.#store.put(`${name}${n}`, row);
      kept[n] = row;
    }
    for (let n = kept.length; n > count; n--) this.#store.delete(`${name}${n - 1}`);
    kept.length = count;
    this.#kept.set(name, kept);
    return count === 0 ? edges : [-count, ...edges.slice(count * ROW_EDGES)];
  }

  #wholeSet(name: string, [first, ...behind]: readonly number[]): readonly number[] {
    if (first === undefined) return [];
    if (first >= 0) return [first, ...behind];
    const kept = Array.from({ length: -first }, (_, n) => this.#store.get(`${name}${n}`) as readonly number[]);
    this.#kept.set(name, kept);
    return [...kept.flat(), ...behind];
  }

  #name(iteration: string, node: number, set: string): string {
    return `${this.#execution}${SEPARATOR}e${iteration}${SEPARATOR}${node}${SEPARATOR}${set}${SEPARATOR}`;
  }
}
