import type { PlanNode } from './plan.ts';

/** The stores that a node names, in the order of its fields. */
export function storesOf(node: PlanNode): readonly string[] {
  if (node.kind === 'process') return node.stores;
  if (node.kind === 'aggregate' && node.beside !== null) return [node.store, node.beside];
  if (node.kind === 'suppressBuffer') return node.store === '' ? [] : [node.store, node.order];
  if (node.kind === 'joinStreams') {
    const pending = node.pendingStore === null ? [] : [node.pendingStore];
    return [...new Set([node.leftStore, node.rightStore]), ...pending];
  }
  if (node.kind === 'subscribeForeign') return node.leavings === undefined ? [] : [node.leavings];
  const kept = 'store' in node && node.store !== null ? [node.store] : [];
  return node.kind === 'joinForeign' && node.names !== undefined ? [...kept, node.names.leavings] : kept;
}
