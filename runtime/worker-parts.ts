import type { Outputs } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import type { Step } from '../core/step.ts';
import type { LogProducer } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { Feed } from './feed.ts';
import type { WorkerObserver } from './observer.ts';
import type { StoreRequest } from './read-store.ts';
import type { RunningTask } from './running-task.ts';
import type { RunSettings } from './runtime.ts';
import type { Trimmer } from './trimmer.ts';
import type { Wake } from './wake.ts';

/** What a worker is made of, and whom it tells. */
export interface WorkerParts {
  readonly clock: Clock;
  readonly settings: RunSettings;
  /** The first producer, already open. */
  readonly producer: LogProducer;
  /** A new one, under the same transactional id where it has one. */
  renewProducer(): Promise<LogProducer>;
  readonly ledgerTopic: string;
  readonly wake: Wake;
  readonly step: Step;
  readonly outputs: Outputs;
  readonly feed: Feed;
  readonly trimmer: Trimmer;
  readonly observer?: WorkerObserver;
  /** Opens a task anew: its state restored, its inputs at the committed positions. */
  open(task: string, signal: AbortSignal): Promise<RunningTask>;
  /** Asks a store of tasks that run; `undefined` where committed rows cannot be told before the next commit. */
  read(running: ReadonlyMap<string, RunningTask>, request: StoreRequest): Promise<readonly FoundRow[] | undefined>;
  /** The task ended in this run already. */
  isEnded(task: string): boolean;
  /** Told when an epoch has failed for a passing reason and all tasks go back to their last commit. */
  onRebuild(reason: unknown): void;
  /** Its tasks have failed before, elsewhere, and each has epochs of its own. */
  readonly alone: boolean;
  /** Told of a task that fails again and again, and keeps the others back: the worker has nothing of it any more. */
  setApart(task: string, reason: unknown): void;
  /** Told of one that was set apart, and has gone well for long enough to go back. */
  wentWell(task: string): void;
  /** The loop is over, and all that it had is closed. */
  onEnd(): Promise<void>;
}
