/**
 * Makes progress durable and restorable.
 *
 * An *epoch* is what a worker did between two commits. All of it goes into one log transaction: the outputs of
 * its tasks, the changelog of their stores, their progress (operator times, cursors, timers: an ordinary table
 * named {@link PROGRESS}), the ledger row of a task that has ended, and the input positions. The steps, each
 * with a failpoint of that name (reliability.md B2):
 *
 *     commit.cut         dirty rows encoded, output batches sealed (K1)
 *     commit.begun       the transaction has taken its first batch (K2)
 *     commit.appended    every batch answered, counted against what was sent (K3)
 *     commit.positions   input positions added under the group's generation (K4)
 *     commit.ending      the end was asked for (K5)
 *     commit.committed   the log has answered (K6)
 *     commit.published   the cut may reach the disk, queries see it (K9)
 *     store.writing, store.written   around the write-back of committed cuts (K7, K8)
 *
 * That is exactly-once. *At-least-once* has no transaction; the same steps come in an order after which a crash may
 * repeat what an epoch did, and never loses it. Each is answered before the next is sent:
 *
 *     outputs, and the changelogs of stores     -> commit.begun, commit.appended
 *     progress                                  a crash before it finds stores ahead of their clocks: counted again
 *     dropped panes                             never before the clock that makes their records late is durable
 *     input positions, under the generation     -> commit.positions
 *     ledger rows of tasks that have ended      -> commit.ending, commit.committed
 *
 * A crash behind `progress` finds stores and clocks that agree, and inputs behind them. State counts as committed, and
 * may reach the disk, at the end as above. A producer without a transaction fences nobody: a process that was put out
 * of its group and lives on cannot commit positions, but what it had sent before stands.
 *
 * *Time* (`time-records.ts`): tasks tell those behind their repartition topics how far they have come. What they tell goes
 * into the same transaction, last in each partition, so a reader knows it when it has read all that came before.
 *
 * Outside the commit: `feed.fetched` (K0), `restore.table` (K10), `producer.opening` (K12). Crashes between two
 * stages (K13) fall on the same points, since stages commit apart.
 *
 * *Pipelined*: while epoch n is on its way from `begun` to `committed`, records of epoch n+1 are processed; what
 * they put out is held until n is decided. There is one epoch on its way at a time; a worker that has filled
 * the next one waits. When n fails, the worker drops the state of all its tasks and builds them anew.
 *
 * Restore: the store's own position, then the changelog up to its uncommitted end as of the moment *after* the
 * group's positions were read, by position, never by "no more records" (hard-places 11). A store whose disk is
 * too old for its compacted changelog, or behind the changelog's start, is emptied and rebuilt.
 *
 * Standby: a {@link Follower} does the same without an end, for a task that runs in another process. It reads only
 * what is committed, and writes nothing to the log. What it leaves on disk is what a task leaves that was closed, so
 * a task whose standby was here opens as after a warm restart: the tail of its changelogs, and on.
 */

/** `nf.<application>.<store>.changelog`, one partition a task. */
export function changelogTopic(application: string, store: string): string {
  return `nf.${application}.${store}.changelog`;
}

/** The progress of a stage's tasks has a changelog of its own. */
export function progressTopic(application: string, stage: string): string {
  return `nf.${application}.${stage}.progress`;
}

/** With which Avro schemas the rows of an application's stores were written. */
export function schemasTopic(application: string): string {
  return `nf.${application}.schemas`;
}

/** Every place in the engine at which a crash is tried, the commit's in order. */
export const FAILPOINTS = [
  'feed.fetched',
  'feed.between',
  'producer.opening',
  'restore.table',
  'commit.cut',
  'commit.begun',
  'commit.appended',
  'commit.positions',
  'commit.ending',
  'commit.committed',
  'commit.published',
  'store.writing',
  'store.written',
] as const;

export { CHANGELOG_DELETE_RETENTION_MS, type TableChangelog } from './changelog-start.ts';
export { type CommitObserver, Committer, type EpochFigures, type EpochPart, type Guarantee } from './committer.ts';
export { Follower } from './follower.ts';
export { KeptNumbers } from './kept-numbers.ts';
export { Ledger, type LedgerRow, ledgerTopic, type TopicEnds } from './ledger.ts';
export { Outputs, type Sealed } from './outputs.ts';
export { PROGRESS } from './progress.ts';
export { type RestoreOptions, restoreState } from './restore.ts';
export { planRow } from './stored-plan.ts';
export { isTimeRecord, readTimeRecord, type TimeEntry, type TimeNotes, type TimeRecord } from './time-records.ts';
