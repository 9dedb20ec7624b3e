import type { Json, Millis } from '../core/ids.ts';
import type { ExecutionStatus, FeedCursor, GraphNames, StepRecord } from '../events/events.ts';

/**
 * The read side: executions as rows of a database, to be listed and searched. PGlite within the process, or PostgreSQL,
 * by one value (`database`), with the same SQL and one contract suite.
 *
 * - Rows are made of step records alone, in batches, each in one transaction with the {@link FeedCursor} behind it. So a
 *   batch that comes again changes nothing, and whoever starts anew goes on where the last commit stood.
 * - It holds nothing back: the engine does not know of it. When it is down or slow it lags, which
 *   {@link Projections.lag} tells, and catches up. Removed rows come back by reading the feed from its beginning.
 * - Migrations are numbered files of SQL with their checksums kept beside; a changed one is refused.
 */
export interface Projections {
  /** Takes step records in the order of the feed; idempotent. */
  write(
    records: readonly StepRecord[],
    cursor: FeedCursor,
    names: (definition: string, revision: number) => GraphNames,
  ): Promise<void>;
  /** Where to go on reading. */
  cursor(): Promise<FeedCursor>;
  list(query: ExecutionQuery): Promise<ExecutionPage>;
  deadLetters(query: {
    readonly workflow?: string;
    readonly limit?: number;
    readonly after?: string;
  }): Promise<readonly DeadLetterRow[]>;
  /** Where the step records of an execution stand: first and last position in its partition of `nf.events`. */
  place(
    execution: string,
  ): Promise<{ readonly partition: number; readonly first: number; readonly last: number } | undefined>;
  close(): Promise<void>;
}

export interface ExecutionQuery {
  readonly workflow?: string;
  readonly status?: readonly ExecutionStatus[];
  readonly startedAfter?: Millis;
  readonly startedBefore?: Millis;
  readonly labels?: { readonly [name: string]: string };
  /** Words in id, workflow, labels, error messages. */
  readonly text?: string;
  readonly degraded?: boolean;
  /** Newest first. Default 50, at most 500. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface ExecutionRow {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly status: ExecutionStatus;
  readonly degraded: boolean;
  readonly startedAt: Millis;
  readonly endedAt: Millis | null;
  readonly user: string | null;
  readonly labels: { readonly [name: string]: string };
  readonly counts: { readonly [status: string]: number };
  readonly error: Json;
}

export interface ExecutionPage {
  readonly rows: readonly ExecutionRow[];
  readonly next: string | null;
}

export interface DeadLetterRow {
  readonly id: string;
  readonly execution: string;
  readonly workflow: string;
  readonly node: string;
  readonly at: Millis;
  readonly reason: string;
  readonly redriven: boolean;
}
