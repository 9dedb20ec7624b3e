import type { Json, Millis } from '../core/ids.ts';
import type { ExecutionStatus, FeedCursor, PlacedStep } from '../events/events.ts';

/**
 * The read side: executions as rows of a database, to be listed and searched. PGlite within the process, or PostgreSQL,
 * by one value, with the same SQL and one contract suite (`projections.conformance.ts`).
 *
 * - Rows are made of step records alone, in batches, each in one transaction with the {@link FeedCursor} behind it. A row
 *   knows the last step that it has seen, so a batch that comes again changes nothing, and whoever starts anew goes on
 *   where the last commit stood.
 * - It holds nothing back: the engine does not know of it. When it is down or slow it lags, and catches up. Rows that were
 *   removed come back by reading the feed from its beginning.
 * - The tables are made by numbered migrations (`migrations.ts`), whose checksums are kept beside them; one that was
 *   changed after it ran is refused with `projections.migration`.
 */
export interface Projections {
  /** Takes step records in the order of the feed; idempotent. `cursor` is where the feed stands behind them. */
  write(steps: readonly PlacedStep[], cursor: FeedCursor): Promise<void>;
  /** Where to go on reading; empty: from the beginning. */
  cursor(): Promise<FeedCursor>;
  /** Newest first. */
  list(query: ExecutionQuery): Promise<ExecutionPage>;
  /** Where the step records of an execution stand: first and last position in its partition of `nf.events`. */
  place(execution: string): Promise<ExecutionPlace | undefined>;
  close(): Promise<void>;
}

export interface ExecutionPlace {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

export interface ExecutionQuery {
  readonly workflow?: string;
  readonly status?: readonly ExecutionStatus[];
  readonly startedAfter?: Millis;
  readonly startedBefore?: Millis;
  /** All of these. */
  readonly labels?: { readonly [name: string]: string };
  /** All of these words, in id, workflow, user, labels and error. */
  readonly text?: string;
  readonly degraded?: boolean;
  /** Default 50, at most 500. */
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
  readonly mode: string;
  readonly startedAt: Millis;
  readonly endedAt: Millis | null;
  readonly user: string | null;
  readonly labels: { readonly [name: string]: string };
  /** How many nodes are in each state; a state without nodes is left out, and so is PENDING, in which nodes begin. */
  readonly counts: { readonly [status: string]: number };
  readonly error: Json;
}

export interface ExecutionPage {
  readonly rows: readonly ExecutionRow[];
  readonly next: string | null;
}

export { type Following, type FollowParts, followFeed } from './follow.ts';
export { openProjections } from './open-projections.ts';
