import type { NodeStatus, TransitionCause } from '../../events/events.ts';

const NEXT: { readonly [from in NodeStatus]: readonly NodeStatus[] } = {
  PENDING: ['QUEUED', 'RUNNING', 'COMPLETED', 'CANCELLED', 'FAILED'],
  QUEUED: ['RUNNING', 'PENDING', 'COMPLETED', 'FAILED', 'CANCELLED'],
  RUNNING: ['COMPLETED', 'FAILED', 'CANCELLED', 'PENDING'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
};

/** Ends of waiting nodes that nothing ran for. */
const WITHOUT_RUNNING: readonly TransitionCause[] = ['inline', 'pinned', 'resolved'];
/** Failures of nodes that do not run: nobody took them in time, or somebody says so. */
const FAILED_UNRUN: readonly TransitionCause[] = [
  'timeout-queue',
  'timeout-total',
  'resolved',
  'failed',
  'optional-failed',
];

/** Whether a node may go from one state to another, for this cause. `from` null: it is needed from now on. */
export function isLegal(from: NodeStatus | null, to: NodeStatus, cause: TransitionCause): boolean {
  if (from === null) return to === 'PENDING';
  // begun again by hand: the one way out of a terminal state
  if (to === 'PENDING' && cause === 'redriven') return true;
  if (!NEXT[from].includes(to)) return false;
  if (to === 'COMPLETED' && from !== 'RUNNING') return WITHOUT_RUNNING.includes(cause);
  if (to === 'FAILED' && from !== 'RUNNING') return FAILED_UNRUN.includes(cause);
  return true;
}
