import type { Millis } from '../core/ids.ts';
import type { RunningTask } from './running-task.ts';

/** A worker with nothing to do looks around this often, or as often as it commits where that is seldomer. */
const MOST_REST_MS = 1000;
/** Where a task tells of its time: so often it is looked whether its inputs have become quiet. */
const TIMED_REST_MS = 50;

/**
 * How long the loop of a worker waits for a notice: until the next commit, `dueMs` from now, where one is owed; else until
 * a timer is due by the wall clock.
 */
export function waitMs(tasks: Iterable<RunningTask>, dueMs: number, commitMs: Millis, now: Millis): number {
  let rest = Math.max(commitMs, MOST_REST_MS);
  for (const { task, times } of tasks) {
    if (task.worked) return dueMs > 0 ? Math.ceil(dueMs) : commitMs;
    if (times !== undefined) rest = Math.min(rest, Math.max(commitMs, TIMED_REST_MS));
    rest = Math.min(rest, Math.ceil(task.nextWall - now));
  }
  return Math.max(1, rest);
}
