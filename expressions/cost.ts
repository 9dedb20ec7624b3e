import { childrenOf, type Node } from './ast.ts';

/** What a list is taken to have that is not written out. */
const GUESSED_ITEMS = 10;

/** How many steps an evaluation is foreseen to take. */
export function costOf(node: Node): number {
  if (node.is !== 'macro') return childrenOf(node).reduce((sum, child) => sum + costOf(child), 1);
  const times = node.over.is === 'list' ? node.over.items.length : GUESSED_ITEMS;
  const each = costOf(node.body) + (node.test === null ? 0 : costOf(node.test));
  return 1 + costOf(node.over) + times * each;
}
