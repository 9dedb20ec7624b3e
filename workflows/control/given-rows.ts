import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';

/** What was selected of so many nodes stands in one row. */
const ROW_NODES = 512;
const SEPARATOR = '\0';

type Store = Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'range'>;

/** Nodes that follow each other, the first and the last. */
type Runs = readonly (readonly [first: number, last: number])[];

/**
 * What a partial execution was started with, and what nodes are pinned to: written when it begins, in rows of their own,
 * and read where a node is decided. So what a transition writes does not grow with what was selected or pinned.
 *
 *     <execution> \0 c <n>    nodes that were selected, of the n-th 512, as runs
 *     <execution> \0 i <id>   what a node is pinned to, in a list
 */
export class GivenRows {
  readonly #store: Store;
  readonly #execution: string;
  readonly #runs = new Map<number, Runs>();
  readonly #pins = new Map<string, Json>();
  /** What is here and not in the store yet. */
  #isNew = false;

  constructor(store: Store, execution: string) {
    this.#store = store;
    this.#execution = execution;
  }

  isSelected(node: number): boolean {
    const row = Math.floor(node / ROW_NODES);
    let runs = this.#runs.get(row);
    if (runs === undefined) {
      runs = (this.#store.get(this.#name('c', row)) ?? []) as unknown as Runs;
      this.#runs.set(row, runs);
    }
    return runs.some(([first, last]) => first <= node && node <= last);
  }

  /** In the order of their numbers. */
  putSelection(nodes: readonly number[]): void {
    const rows = new Map<number, [first: number, last: number][]>();
    for (const node of nodes) {
      const row = Math.floor(node / ROW_NODES);
      const runs = rows.get(row);
      const run = runs?.at(-1);
      if (run !== undefined && run[1] + 1 === node) run[1] = node;
      else if (runs === undefined) rows.set(row, [[node, node]]);
      else runs.push([node, node]);
    }
    for (const [row, runs] of rows) this.#runs.set(row, runs);
    this.#isNew = true;
  }

  pin(id: string): Json | undefined {
    if (this.#pins.has(id)) return this.#pins.get(id);
    const stored = this.#store.get(this.#name('i', id)) as readonly [Json] | undefined;
    return stored?.[0];
  }

  pins(): Iterable<readonly [id: string, value: Json]> {
    const from = this.#name('i', '');
    const stored = [...this.#store.range(from, `${from}\uffff`)];
    return [
      ...stored.map(([key, value]) => [key.slice(from.length), (value as readonly [Json])[0]] as const),
      ...this.#pins,
    ];
  }

  putPins(pins: { readonly [id: string]: Json }): void {
    for (const [id, value] of Object.entries(pins)) this.#pins.set(id, value);
    this.#isNew = true;
  }

  flush(): void {
    if (!this.#isNew) return;
    for (const [row, runs] of this.#runs) this.#store.put(this.#name('c', row), runs as unknown as Json);
    for (const [id, value] of this.#pins) this.#store.put(this.#name('i', id), [value]);
    this.#pins.clear();
    this.#isNew = false;
  }

  #name(kind: 'c' | 'i', what: string | number): string {
    return `${this.#execution}${SEPARATOR}${kind}${what}`;
  }
}
