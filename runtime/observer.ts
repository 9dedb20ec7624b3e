import type { CommitObserver } from '../checkpoints/checkpoints.ts';
import type { Millis } from '../core/ids.ts';
import type { RunningTask } from './running-task.ts';

/** What a worker tells as it works: for metrics, the log and the watchdog. Nothing here changes what it does. */
export interface WorkerObserver extends CommitObserver {
  /** The loop has turned. */
  turned(): void;
  /** The loop stood still for so long, since some of its tasks came or went. */
  paused(ms: Millis): void;
  /** A task could not be opened, and is tried again so much later. */
  unopened(task: string, failure: unknown, restMs: Millis): void;
  opened(running: RunningTask): void;
  closed(running: RunningTask): void;
}
