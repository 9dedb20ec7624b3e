import { quoted } from './faults.ts';
import type { Judged, JudgedNode } from './judged.ts';

/** Edges that lead in a circle, each circle once, by its path. */
export function judgeCycles({ nodes, faults }: Judged): void {
  for (const component of components(nodes)) {
    const circle = shortestCircle(component);
    if (circle === undefined) continue;
    const first = circle[0]!;
    const path = [...circle, first].map(({ node }) => node.id).join(' > ');
    const message = `edges lead in a circle: ${circle.length > 50 ? quoted(path) : path}`;
    const cure = 'Remove one of the edges, or put what repeats into a node of type loop.';
    faults.add('workflow.cycle', ['nodes', first.index], message, cure);
  }
}

function nextOf(node: JudgedNode): readonly JudgedNode[] {
  return node.outgoing.map(({ target }) => target).filter((target) => target !== undefined);
}

/** Strongly connected components, by Tarjan, without recursion: documents may be deep. */
function components(nodes: readonly JudgedNode[]): readonly ReadonlySet<JudgedNode>[] {
  const order = new Map<JudgedNode, number>();
  const low = new Map<JudgedNode, number>();
  const open: JudgedNode[] = [];
  const isOpen = new Set<JudgedNode>();
  const found: Set<JudgedNode>[] = [];
  for (const root of nodes) {
    if (order.has(root)) continue;
    const stack = [{ node: root, next: nextOf(root), at: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      if (top.at === 0 && !order.has(top.node)) {
        order.set(top.node, order.size);
        low.set(top.node, order.get(top.node)!);
        open.push(top.node);
        isOpen.add(top.node);
      }
      const next = top.next[top.at++];
      if (next !== undefined) {
        if (!order.has(next)) stack.push({ node: next, next: nextOf(next), at: 0 });
        else if (isOpen.has(next)) low.set(top.node, Math.min(low.get(top.node)!, order.get(next)!));
        continue;
      }
      stack.pop();
      const below = stack.at(-1);
      if (below !== undefined) low.set(below.node, Math.min(low.get(below.node)!, low.get(top.node)!));
      if (low.get(top.node) === order.get(top.node)) found.push(closed(top.node, open, isOpen));
    }
  }
  return found;
}

function closed(root: JudgedNode, open: JudgedNode[], isOpen: Set<JudgedNode>): Set<JudgedNode> {
  const component = new Set<JudgedNode>();
  for (;;) {
    const node = open.pop()!;
    isOpen.delete(node);
    component.add(node);
    if (node === root) return component;
  }
}

/** A shortest circle through the first node of a component, breadth first. */
function shortestCircle(component: ReadonlySet<JudgedNode>): readonly JudgedNode[] | undefined {
  const start = [...component].reduce((a, b) => (a.index < b.index ? a : b));
  const from = new Map<JudgedNode, JudgedNode>();
  const queue = [start];
  for (const node of queue) {
    for (const next of nextOf(node)) {
      if (next === start) {
        const way = [node];
        while (way[0] !== start) way.unshift(from.get(way[0]!)!);
        return way;
      }
      if (!component.has(next) || from.has(next)) continue;
      from.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}
