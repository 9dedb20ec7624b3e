import type { Millis } from '../core/ids.ts';
import type { Rec } from './record.ts';

/**
 * Calls of functions that take time. An operator never waits: it hands its calls to the task and lets their results
 * leave later, each in a step of its own, between records.
 *
 * - A call starts when the step of its record has settled. A step that is undone starts none. Where the plan says so it
 *   starts when the record's row is committed, and not before ({@link CallResults.cut}): then what is called again behind
 *   a crash is the same record, under the same name.
 * - Records of which a call is on its way are rows of a store, committed with the positions. After a crash, or by the
 *   next owner of the task, their calls are made again; a result counts once, in the step that deletes the row.
 * - Where as many records are in flight as may be, the next one gives up its step ({@link Caller.waitFor}), and the
 *   task takes nothing until one has left; other tasks go on.
 */
export interface CallResults {
  /** The operator's node. */
  readonly node: string;
  /** Records taken whose results have not left. */
  readonly inFlight: number;
  /** No further record may come in. */
  readonly full: boolean;
  /** A result may leave now. */
  readonly ready: boolean;
  /** Lets the next result leave. Throws what its call failed with for good. May miss. */
  release(): void;
  /** An epoch ends here: its rows are on their way. */
  cut(): void;
  /** The epoch that was cut last is committed. */
  committed(): void;
  /** In a step of its own, when `release` has failed for good: lets the record go without a result, and answers it. */
  giveUp(): Rec;
}

/** What the task lends to an operator that calls. */
export interface Caller {
  /** Makes a call, now or when others have ended. */
  start(call: Call): void;
  /** Gives up the step until the operator is not full. */
  waitFor(): never;
  /** Monotonic, for the age of answers that are kept in memory only. */
  now(): Millis;
}

export interface Call {
  /** Makes one attempt, counted from 1: answers the result, or a promise of it. */
  begin(attempt: number, signal: AbortSignal): unknown;
  /** Told once, never within a step. */
  done(result: unknown): void;
  /** The last attempt has failed. */
  failed(reason: unknown): void;
}
