import type { Json } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { Graph } from '../graph.ts';
import type { Lifecycle, PatchOp } from '../lifecycle/lifecycle.ts';
import { StoredRows } from './stored-rows.ts';

/** Rows of a store beside the engine: what was read of it, or nothing yet. */
export class MemoryStore {
  readonly #rows: Map<string, Json>;

  constructor(rows: Iterable<readonly [string, Json]> = []) {
    this.#rows = new Map(rows);
  }

  get(key: string): Json | undefined {
    return this.#rows.get(key);
  }

  put(key: string, value: Json): void {
    this.#rows.set(key, value);
  }

  delete(key: string): Json | undefined {
    const there = this.#rows.get(key);
    this.#rows.delete(key);
    return there;
  }

  range(from: string, to: string): readonly (readonly [string, Json])[] {
    return [...this.#rows].filter(([key]) => key >= from && key <= to).sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** The state of an execution as its step records tell it, and no code of users but the definition. */
export interface Folded {
  readonly rows: StoredRows;
  readonly graph: Graph;
  readonly output: Json;
  readonly endedAt: number | null;
}

export interface FoldParts {
  readonly lifecycle: Lifecycle;
  readonly base: Graph;
  patch(graph: Graph, ops: readonly PatchOp[]): Graph;
}

/** Of an execution's records from the first. */
export function fold(execution: string, records: readonly StepRecord[], parts: FoldParts): Folded {
  const rows = new StoredRows(new MemoryStore(), execution);
  let graph = parts.base;
  let output: Json = null;
  let endedAt: number | null = null;
  for (const record of records) {
    for (const event of record.events) {
      if (event.type === 'ended') {
        output = event.output;
        endedAt = record.at;
      }
      parts.lifecycle.evolve(rows, graph, record, event);
      if (event.type === 'patched') graph = parts.patch(graph, event.ops as unknown as readonly PatchOp[]);
    }
  }
  return { rows, graph, output, endedAt };
}
