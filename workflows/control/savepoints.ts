import type { Json } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';

/** The answer that nothing is kept any more; what was kept goes as that of runs which are over. */
export const FORGETTING = 'workflow.forgetting';
/** Of what an engine before this one has kept: whoever asked has to take away what there is. */
export const FORGOTTEN = 'workflow.forgotten';

/** What an execution has kept at its savepoint. */
export interface Kept {
  /** Runs of its segments, by name; undefined where that was not written down. */
  readonly runs: readonly string[] | undefined;
}

/**
 * Executions that have ended at a savepoint, and whose segments are there for whoever goes on from them: one alone.
 *
 *     \0 K <execution>    what it has kept; 1 in the form before this one
 */
export class Savepoints {
  readonly #store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete'>;

  constructor(store: KeyValueStore<string, Json>) {
    this.#store = store;
  }

  keep(execution: string, runs: readonly string[]): void {
    this.#store.put(nameOf(execution), { runs });
  }

  /** Undefined: nothing is kept of it, or no longer. */
  take(execution: string): Kept | undefined {
    const row = this.#store.get(nameOf(execution)) as { readonly runs?: readonly string[] } | 1 | undefined;
    if (row === undefined) return undefined;
    this.#store.delete(nameOf(execution));
    return { runs: row === 1 ? undefined : row.runs };
  }
}

function nameOf(execution: string): string {
  return `\0K${execution}`;
}
