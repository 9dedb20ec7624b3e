import type { NodeStatus } from '../../events/events.ts';
import type { NodeKey, NodeRow } from './lifecycle.ts';

/** What a node is before anything has been told of it. */
export const PENDING_ROW: NodeRow = {
  status: 'PENDING',
  cause: null,
  attempt: 0,
  failures: 0,
  system: 0,
  told: [],
  taken: [],
  since: 0,
  wait: null,
  error: null,
  iterations: null,
  checkpoint: null,
  timers: [],
};

export function keyOf(node: number, iteration: string): NodeKey {
  return iteration === '' ? String(node) : `${node}@${iteration}`;
}

export function partsOf(key: NodeKey): { readonly node: number; readonly iteration: string } {
  const at = key.indexOf('@');
  return at < 0
    ? { node: Number(key), iteration: '' }
    : { node: Number(key.slice(0, at)), iteration: key.slice(at + 1) };
}

/** The iteration of the children of a container. */
export function inside(iteration: string, index: number): string {
  return iteration === '' ? String(index) : `${iteration}.${index}`;
}

/** Where the container of a node stands: its iteration, and which of its own the node belongs to. */
export function outside(iteration: string): { readonly iteration: string; readonly index: number } {
  const dot = iteration.lastIndexOf('.');
  return dot < 0
    ? { iteration: '', index: Number(iteration) }
    : { iteration: iteration.slice(0, dot), index: Number(iteration.slice(dot + 1)) };
}

export function isTerminal(status: NodeStatus): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}
