import type { NodeStatus } from '../../events/events.ts';
import type { NodeKey, NodeRow } from './lifecycle.ts';

/** What a node is before anything has been told of it. */
export const PENDING_ROW: NodeRow = {
  status: 'PENDING',
  cause: null,
  attempt: 0,
  failures: 0,
  system: 0,
  lost: 0,
  told: [],
  taken: [],
  since: 0,
  wait: null,
  error: null,
  iterations: null,
  checkpoint: null,
  timers: [],
};

/** Where values of the session stand, as outputs of no node. */
export const SESSION_ROW: NodeKey = '-1@session';

export function keyOf(node: number, iteration: string): NodeKey {
  return iteration === '' ? String(node) : `${node}@${iteration}`;
}

export function partsOf(key: NodeKey): { readonly node: number; readonly iteration: string } {
  const at = key.indexOf('@');
  return at < 0
    ? { node: Number(key), iteration: '' }
    : { node: Number(key.slice(0, at)), iteration: key.slice(at + 1) };
}

/**
 * Keys in their order, where nodes that follow each other by number are told by the first and the last: `3-900@2`. So the
 * list of what is left over does not grow with a graph that is wide.
 */
export function packed(keys: readonly NodeKey[]): readonly string[] {
  const runs: { readonly first: number; last: number; readonly iteration: string }[] = [];
  for (const key of keys) {
    const { node, iteration } = partsOf(key);
    const run = runs.at(-1);
    if (run !== undefined && run.last + 1 === node && run.iteration === iteration) run.last = node;
    else runs.push({ first: node, last: node, iteration });
  }
  return runs.map(({ first, last, iteration }) => {
    const nodes = first === last ? `${first}` : `${first}-${last}`;
    return iteration === '' ? nodes : `${nodes}@${iteration}`;
  });
}

/** The nodes that {@link packed} has told. */
export function unpacked(runs: readonly string[]): readonly { readonly node: number; readonly iteration: string }[] {
  return runs.flatMap((run) => {
    const at = run.indexOf('@');
    const iteration = at < 0 ? '' : run.slice(at + 1);
    const [first, last = first] = (at < 0 ? run : run.slice(0, at)).split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, i) => ({ node: first + i, iteration }));
  });
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
