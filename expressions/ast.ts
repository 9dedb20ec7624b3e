/**
 * The tree of an expression. Nodes are numbered from 0 in the order made, so that types, slots and places of failures
 * are kept by number, beside the tree.
 */
export interface Spot {
  readonly id: number;
  /** Where its text begins and ends in the source, in UTF-16 units. */
  readonly at: number;
  readonly end: number;
}

export type Literal = string | number | boolean | null;
export type ArithmeticOp = '+' | '-' | '*' | '/' | '%';
export type OrderOp = '<' | '<=' | '>' | '>=';
export type BinaryOp = ArithmeticOp | OrderOp | '==' | '!=' | 'in';
export type MacroName = 'all' | 'exists' | 'exists_one' | 'map' | 'filter';

export type Node = Spot &
  (
    | { readonly is: 'literal'; readonly value: Literal }
    | { readonly is: 'list'; readonly items: readonly Node[] }
    | { readonly is: 'map'; readonly entries: readonly MapEntry[] }
    | { readonly is: 'name'; readonly name: string }
    /** Optional: null where the object is null or has no such field. */
    | { readonly is: 'field'; readonly of: Node; readonly name: string; readonly optional: boolean }
    | { readonly is: 'index'; readonly of: Node; readonly key: Node; readonly optional: boolean }
    | { readonly is: 'has'; readonly of: Node; readonly name: string }
    | { readonly is: 'not' | 'negate'; readonly of: Node }
    | { readonly is: 'and' | 'or'; readonly left: Node; readonly right: Node }
    | { readonly is: 'binary'; readonly op: BinaryOp; readonly left: Node; readonly right: Node }
    | { readonly is: 'choose'; readonly test: Node; readonly then: Node; readonly otherwise: Node }
    /** `x.orValue(y)`: y where x is null. */
    | { readonly is: 'or-value'; readonly of: Node; readonly otherwise: Node }
    | { readonly is: 'call'; readonly fn: string; readonly args: readonly Node[] }
    /** `test` only of `map` with three arguments. */
    | {
        readonly is: 'macro';
        readonly macro: MacroName;
        readonly over: Node;
        readonly variable: string;
        readonly test: Node | null;
        readonly body: Node;
      }
  );

export type NodeOf<Is extends Node['is']> = Extract<Node, { readonly is: Is }>;

export interface MapEntry {
  readonly key: Node;
  readonly value: Node;
}

export function childrenOf(node: Node): readonly Node[] {
  switch (node.is) {
    case 'literal':
    case 'name':
      return [];
    case 'list':
      return node.items;
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case 'field':
    case 'has':
    case 'not':
    case 'negate':
      return [node.of];
    case 'index':
      return [node.of, node.key];
    case 'and':
    case 'or':
    case 'binary':
      return [node.left, node.right];
    case 'choose':
      return [node.test, node.then, node.otherwise];
    case 'or-value':
      return [node.of, node.otherwise];
    case 'call':
      return node.args;
    case 'macro':
      return node.test === null ? [node.over, node.body] : [node.over, node.test, node.body];
  }
}

/** How many nodes a tree has: what one evaluation of it costs at most, loops aside. */
export function weightOf(node: Node): number {
  return childrenOf(node).reduce((sum, child) => sum + weightOf(child), 1);
}
