import { childrenOf, type Node } from './ast.ts';
import type { Checked } from './check.ts';

/** The paths into the scope that a tree reads, sorted. */
export function readsOf({ root, slots }: Checked): readonly string[] {
  const found = new Set<string>();
  const visit = (node: Node): void => {
    const path = pathOf(node, slots);
    if (path !== undefined) found.add(path);
    else for (const child of childrenOf(node)) visit(child);
  };
  visit(root);
  return [...found].sort();
}

function pathOf(node: Node, slots: Checked['slots']): string | undefined {
  if (node.is === 'name') return slots.has(node.id) ? undefined : node.name;
  if (node.is !== 'field' && node.is !== 'has') return undefined;
  const before = pathOf(node.of, slots);
  return before === undefined ? undefined : `${before}.${node.name}`;
}
