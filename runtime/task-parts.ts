import type { Step } from '../core/step.ts';
import type { KeptNumber, Operator } from '../operators/operators.ts';
import type { TaskState } from '../state/state.ts';
import type { EarlyEnd } from './build.ts';
import type { TaskCalls } from './calls.ts';
import type { Failures } from './failures.ts';
import type { Input } from './inputs.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { ScanRequests } from './scan-requests.ts';
import type { SchemaWaits } from './schema-waits.ts';
import type { StageClock } from './stage-clock.ts';
import type { Timers } from './timers.ts';

/** What a call of {@link Task.run} came to. */
export type RunResult =
  /** Nothing to do until something comes. */
  | 'idle'
  /** The limit was reached; there is more. */
  | 'busy'
  /** A cold read: await {@link Task.fetchMissed}, then run again. */
  | 'miss';

export interface TaskParts {
  readonly id: string;
  readonly step: Step;
  readonly state: TaskState;
  readonly inputs: readonly Input[];
  /** In topological order. */
  readonly operators: readonly Operator[];
  /** The same in the order in which they go on with what a crash cut short: what lies behind another before it. */
  readonly starts: readonly Operator[];
  /** Of a bounded run; see `build.ts`. */
  readonly early?: readonly EarlyEnd[];
  readonly scans: ScanRequests;
  readonly streamTime: KeptNumber;
  readonly timers: Timers;
  /** The clock of the stage, where its inputs tell it. */
  readonly clock?: StageClock | undefined;
  readonly calls: TaskCalls;
  readonly mailboxes: Mailboxes;
  readonly failures: Failures;
  /** Called when a batch of output is full, between steps. */
  flush(): void;
  readonly outputs: { readonly full: boolean };
  /** Schemas that records are met with and that are not known yet; see `schemas/registry/registry.ts`. */
  readonly schemas?: SchemaWaits | undefined;
  /** How often the ports of nodes were pushed to; see `node-counts.ts`. */
  readonly counts: Float64Array;
  /** They are exact, whatever is undone; else a record that runs again counts again. */
  readonly exact?: boolean;
}
