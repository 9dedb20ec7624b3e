import type { At } from '../../events/events.ts';
import type { GraphNode } from '../graph.ts';
import type { NodeRow } from './lifecycle.ts';
import { PENDING_ROW } from './row.ts';
import type { Step } from './step.ts';

export type Readiness = 'wait' | 'run' | 'skip';

/** Whether a node runs, by what its incoming edges have told. */
export function readiness(step: Step, at: At, node: GraphNode, row: NodeRow): Readiness {
  const all = node.incoming.length;
  if (all === 0) return 'run';
  const { join } = node;
  const isTold = row.told.length >= all;
  switch (join.policy) {
    case 'all':
      return !isTold ? 'wait' : row.taken.length > 0 ? 'run' : 'skip';
    case 'any':
      return row.taken.length > 0 ? 'run' : isTold ? 'skip' : 'wait';
    case 'atLeast':
      return row.taken.length >= join.count ? 'run' : isTold ? 'skip' : 'wait';
    case 'all-done':
      return isTold ? 'run' : 'wait';
    case 'when':
      if (!isTold) return 'wait';
      return join.expression.evaluate(outcomesOf(step, at, node, row)) ? 'run' : 'skip';
  }
}

interface Outcome {
  readonly succeeded: boolean;
  readonly failed: boolean;
  readonly skipped: boolean;
  readonly cancelled: boolean;
}

/** What became of the sources of a node, by their ids. */
function outcomesOf(step: Step, at: At, node: GraphNode, row: NodeRow): { readonly [id: string]: Outcome } {
  const found: { [id: string]: Outcome } = {};
  for (const number of node.incoming) {
    const edge = step.graph.edges[number]!;
    const source = step.rows.node(step.key({ node: edge.source, iteration: at.iteration })) ?? PENDING_ROW;
    const { id } = step.graph.nodes[edge.source]!;
    const failed = source.status === 'FAILED';
    const before = Object.hasOwn(found, id) && found[id]!.succeeded;
    const succeeded = !failed && (before || row.taken.includes(number));
    const cancelled = source.status === 'CANCELLED' && !QUIET.has(source.cause ?? '');
    found[id] = { succeeded, failed, cancelled, skipped: !succeeded && !failed && !cancelled };
  }
  return found;
}

/** Causes for which a node was never to run. */
const QUIET: ReadonlySet<string> = new Set(['branch-not-taken', 'not-selected', 'disabled', 'skipped-by-hand']);
