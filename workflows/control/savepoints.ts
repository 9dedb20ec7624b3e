import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';

/** The answer that nothing is kept any more, and that whoever asked has to take away what there is. */
export const FORGOTTEN = 'workflow.forgotten';

/**
 * Executions that have ended at a savepoint, and whose segments are there for whoever goes on from them: one alone.
 *
 *     \0 K <execution>    1
 */
export class Savepoints {
  readonly #store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete'>;

  constructor(store: KeyValueStore<string, Json>) {
    this.#store = store;
  }

  keep(execution: string): void {
    this.#store.put(nameOf(execution), 1);
  }

  /** False: nothing is kept of it, or no longer. */
  take(execution: string): boolean {
    if (this.#store.get(nameOf(execution)) === undefined) return false;
    this.#store.delete(nameOf(execution));
    return true;
  }
}

function nameOf(execution: string): string {
  return `\0K${execution}`;
}
