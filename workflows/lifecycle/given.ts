import type { Json } from '../../core/ids.ts';

/** What an execution was given when it began, for some of its nodes: told once, and read where one of them is decided. */
export interface Given {
  /** Of a partial execution: whether a node at the top was selected. */
  isSelected(node: number): boolean;
  putSelection(nodes: readonly number[]): void;
  /** What a node is pinned to, by its id. */
  pin(id: string): Json | undefined;
  pins(): Iterable<readonly [id: string, value: Json]>;
  putPins(pins: { readonly [id: string]: Json }): void;
}
