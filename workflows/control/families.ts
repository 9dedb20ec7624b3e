import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';

/** Executions that are open at once within one root, whoever of them started them. */
const MOST_OPEN = 4096;

/**
 * How many executions are open that others started, by root: one that starts several of itself would grow without end.
 *
 *     \0 F <root>    how many
 */
export class Families {
  readonly #store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete'>;

  constructor(store: KeyValueStore<string, Json>) {
    this.#store = store;
  }

  /** False: there are as many as there may be, and this is not one that `goesOn` from a savepoint. */
  join(root: string, goesOn: boolean): boolean {
    const open = this.#open(root);
    if (open >= MOST_OPEN && !goesOn) return false;
    this.#store.put(nameOf(root), open + 1);
    return true;
  }

  leave(root: string): void {
    const open = this.#open(root);
    if (open > 1) this.#store.put(nameOf(root), open - 1);
    else if (open === 1) this.#store.delete(nameOf(root));
  }

  #open(root: string): number {
    return (this.#store.get(nameOf(root)) ?? 0) as number;
  }
}

function nameOf(root: string): string {
  return `\0F${root}`;
}
