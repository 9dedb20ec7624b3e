import type { CommitObserver } from '../checkpoints/checkpoints.ts';
import type { RunningTask } from './running-task.ts';

/** What a worker tells as it works: for metrics, the log and the watchdog. Nothing here changes what it does. */
export interface WorkerObserver extends CommitObserver {
  /** The loop has turned. */
  turned(): void;
  opened(running: RunningTask): void;
  closed(running: RunningTask): void;
}
