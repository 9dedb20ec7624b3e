import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';

/** So many members of a list stand in one row. */
const ROW_MEMBERS = 64;

type Store = Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete'>;
/** Numbers are not below zero. */
type Member = number | string;

/**
 * Lists that grow at their end, in rows that are written often. Each 64 members are a row of their own, `<name><n>`,
 * written once; the row that is written often holds how many there are of those, below zero, and the members behind them.
 * So what is written for a member does not grow with the list.
 */
export class SplitLists {
  readonly #store: Store;
  /** Rows as they stand in the store, by the name of their list. */
  #kept: Map<string, (readonly Member[])[]> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether anything of a list may stand, or has to stand, in a row of its own: where not, it is written as it is. */
  isSplit(list: readonly Member[]): boolean {
    return list.length >= ROW_MEMBERS || this.#kept !== undefined;
  }

  /** What is to be written instead of a list; what has a row of its own is written there, where it is not yet. */
  split<T extends Member>(name: string, list: readonly T[]): readonly (T | number)[] {
    const before = this.#kept?.get(name);
    if (list.length < ROW_MEMBERS && before === undefined) return list;
    const kept = before ?? [];
    const count = Math.floor(list.length / ROW_MEMBERS);
    for (let n = 0; n < count; n++) {
      const row = list.slice(n * ROW_MEMBERS, (n + 1) * ROW_MEMBERS);
      if (kept[n]?.every((member, i) => member === row[i])) continue;
      this.#store.put(`${name}${n}`, row);
      kept[n] = row;
    }
    for (let n = kept.length; n > count; n--) this.#store.delete(`${name}${n - 1}`);
    kept.length = count;
    this.#keep(name, kept);
    return count === 0 ? list : [-count, ...list.slice(count * ROW_MEMBERS)];
  }

  /** The list of which this was written. */
  whole<T extends Member>(name: string, written: readonly (T | number)[]): readonly T[] {
    const [first, ...behind] = written as readonly [T | number, ...T[]];
    if (typeof first !== 'number' || first >= 0) return written as readonly T[];
    const kept = Array.from({ length: -first }, (_, n) => this.#store.get(`${name}${n}`) as readonly T[]);
    this.#keep(name, kept);
    return [...kept.flat(), ...behind];
  }

  #keep(name: string, rows: (readonly Member[])[]): void {
    this.#kept ??= new Map();
    this.#kept.set(name, rows);
  }
}
