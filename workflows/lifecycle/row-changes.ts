import type { At, EndCounts, NodeStatus } from '../../events/events.ts';
import type { Iterations, NodeRow, Rows } from './lifecycle.ts';
import { keyOf, PENDING_ROW } from './row.ts';

export function change(rows: Rows, at: At, how: (row: NodeRow) => NodeRow): void {
  const key = keyOf(at.node, at.iteration);
  rows.putNode(key, how(rows.node(key) ?? PENDING_ROW));
}

export const NO_COUNTS: Readonly<Record<NodeStatus, number>> = {
  PENDING: 0,
  QUEUED: 0,
  RUNNING: 0,
  COMPLETED: 0,
  FAILED: 0,
  CANCELLED: 0,
};
export const NO_PAST: EndCounts = { COMPLETED: 0, FAILED: 0, CANCELLED: 0 };
export const NO_ITERATIONS: Iterations = { count: 0, ended: 0, failed: 0, next: 0, open: [], atOnce: 1, closing: null };
