import type { PlanIndex } from './stage.ts';

/**
 * The topics that a record writes on its way from where it comes in, in the order in which it reaches them: depth-first,
 * siblings in the order of the plan.
 */
export class WrittenOrder {
  readonly #index: PlanIndex;
  readonly #ranks = new Map<string, ReadonlyMap<string, number>>();
  #any: ReadonlyMap<string, number> | undefined;

  constructor(index: PlanIndex) {
    this.#index = index;
  }

  /** For what no record has brought about, such as timers: as if one came in at each of the sources, in their order. */
  get any(): ReadonlyMap<string, number> {
    const sources = this.#index.plan.nodes.filter(({ inputs }) => inputs.length === 0);
    this.#any ??= this.#follow(sources.map(({ id }) => id));
    return this.#any;
  }

  /** By topic, for records that come in at a node. */
  from(entry: string): ReadonlyMap<string, number> {
    const known = this.#ranks.get(entry) ?? this.#follow([entry]);
    this.#ranks.set(entry, known);
    return known;
  }

  #follow(entries: readonly string[]): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    const seen = new Set<string>();
    const visit = (id: string): void => {
      for (const { node } of this.#index.consumers.get(id) ?? []) {
        if (seen.has(node.id)) continue;
        seen.add(node.id);
        if (node.kind !== 'to' && node.kind !== 'repartition') visit(node.id);
        else if (!found.has(node.topic)) found.set(node.topic, found.size);
      }
    };
    for (const entry of entries) visit(entry);
    return found;
  }
}
