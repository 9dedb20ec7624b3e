import type { NodeKind } from './plan.ts';

/**
 * Ids that stay as they are when other parts of a topology change: the kind and the user's name, or the kind,
 * the nearest ancestor that has a name, and the ordinal among its like. A second node of one given id is left as
 * it is, for the validator to find.
 */
export class NodeIds {
  readonly #ancestors = new Map<string, string>();
  readonly #ordinals = new Map<string, number>();

  /** The id of a node that the user named. */
  named(kind: NodeKind, name: string): string {
    const id = `${kind}:${name}`;
    this.#ancestors.set(id, name);
    return id;
  }

  unnamed(kind: NodeKind, input: string): string {
    const ancestor = this.ancestor(input);
    const id = `${kind}:${ancestor}:${this.#next(`${kind}:${ancestor}`)}`;
    this.#ancestors.set(id, ancestor);
    return id;
  }

  /** Named where the user gave a name. */
  either(kind: NodeKind, name: string | undefined, input: string): string {
    return name === undefined ? this.unnamed(kind, input) : this.named(kind, name);
  }

  /** Named after an ancestor and something of its own: an arm, the topic of a sink. */
  below(kind: NodeKind, input: string, name: string): string {
    const ancestor = `${this.ancestor(input)}.${name}`;
    const stem = `${kind}:${ancestor}`;
    const ordinal = this.#next(stem);
    const id = ordinal === 1 ? stem : `${stem}:${ordinal}`;
    this.#ancestors.set(id, ancestor);
    return id;
  }

  ancestor(id: string): string {
    return this.#ancestors.get(id) ?? id;
  }

  #next(stem: string): number {
    const ordinal = (this.#ordinals.get(stem) ?? 0) + 1;
    this.#ordinals.set(stem, ordinal);
    return ordinal;
  }
}
