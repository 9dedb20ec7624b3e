import type { Millis } from '../core/ids.ts';
import type { FailurePolicy } from '../topology/plan.ts';

/** How a topology runs in a test. */
export interface DriverOptions {
  /** Where the wall clock begins. Default 0. */
  readonly startMs?: Millis;
  readonly onFailure?: FailurePolicy;
  /** How long an input has nothing to read before it holds event time back no longer. Default 0: at once. */
  readonly idleMs?: Millis;
  /** Bytes at which output is packed into a batch; small values try more boundaries. */
  readonly batchBytes?: number;
  /**
   * All tasks go by one stream time, as in the test driver of Kafka Streams, which runs a topology as a single task: a
   * timer of a stage fires when a record of another has come so far. Default: each has its own, as in a real run.
   */
  readonly sharedStreamTime?: boolean;
  /** `always`, the default: after each call, so that a crash loses nothing. `on demand`: by `commit()` alone. */
  readonly commit?: 'always' | 'on demand';
}
