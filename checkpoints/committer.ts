import { assert } from '../core/assert.ts';
import { FlowError, isFlowError } from '../core/errors.ts';
import { failpoint } from '../core/failpoints.ts';
import type { Position, TopicPartition } from '../core/ids.ts';
import { PartitionMap } from '../core/partition-map.ts';
import type { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { CommittedPosition, GroupIdentity, LogProducer } from '../log/log.ts';
import type { Cut, TaskState } from '../state/state.ts';
import { type ChangelogRows, ChangelogWriter, changelogEnds } from './changelog-writer.ts';
import type { LedgerRow } from './ledger.ts';
import type { Outputs, Sealed } from './outputs.ts';

/** What one task adds to an epoch. */
export interface EpochPart {
  readonly task: string;
  readonly state: TaskState;
  readonly cut: Cut;
  /** The partition of its changelogs. */
  readonly partition: number;
  /** The changelog topic of a table. */
  changelog(table: string): string;
  readonly positions: readonly (TopicPartition & CommittedPosition)[];
  /** Set in an epoch in which a task, or a topic of it, has ended: its ledger row, asked for when all its output is answered. */
  readonly ended: (() => Promise<LedgerRow>) | undefined;
}

/** What went into the log in one epoch. */
export interface EpochFigures {
  readonly records: number;
  readonly bytes: number;
}

/** Told at the cut of an epoch, and when the log has committed it. */
export interface CommitObserver {
  cut(): void;
  committed(epoch: EpochFigures): void;
}

/** A part of the epoch on its way, and the tables that its rows have touched so far. */
interface Changed {
  readonly part: EpochPart;
  readonly touched: Set<string>;
}

/** What a crash may do to results: nothing, or count some records again. */
export type Guarantee = 'exactly-once' | 'at-least-once';

/** Batches of an epoch go out before it ends, but no more than this on trust. */
const MOST_UNANSWERED_BYTES = 16 << 20;

export interface CommitterOptions {
  readonly guarantee: Guarantee;
  /** The first producer, with a transactional id for exactly-once and without for at-least-once; see {@link Committer.renew}. */
  readonly producer: LogProducer;
  readonly outputs: Outputs;
  readonly step: Step;
  readonly ledgerTopic: string;
  readonly observer?: CommitObserver;
  /** The identity under which these tasks may commit, `undefined` where one of them is no longer this worker's. */
  identityFor(tasks: readonly string[]): GroupIdentity | undefined;
  /** The one that follows an identity that the group refused; waits for it. */
  nextIdentity(refused: GroupIdentity, tasks: readonly string[]): Promise<GroupIdentity | undefined>;
}

/**
 * Runs the commit protocol of one worker. Batches that fill up while no commit is on its way are sent at once, so
 * that an epoch may be larger than memory; while one is on its way they are held in the outputs.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #producer: LogProducer;
  #open = false;
  #sent: Promise<void>[] = [];
  #records = 0;
  #bytes = 0;
  /** Bytes of batches that the log has not answered. */
  #unanswered = 0;
  #failure: unknown;
  /** The task whose rows are being written; and of the failure, where it came of such. */
  #writing: string | undefined;
  #culprit: string | undefined;
  /** Where each partition ends behind what this worker wrote. */
  readonly #ends = new PartitionMap<Position>();
  #committing: Promise<void> | undefined;
  readonly #transactional: boolean;
  readonly #changelog: ChangelogWriter;
  readonly #ledger: BatchBuilder;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#producer = options.producer;
    this.#transactional = options.guarantee === 'exactly-once';
    const { step, outputs } = options;
    this.#changelog = new ChangelogWriter(step, outputs.batchBytes, (sealed) => this.#append(sealed));
    this.#ledger = new BatchBuilder(step);
  }

  /** An epoch is between its begin and its answer. */
  get committing(): boolean {
    return this.#committing !== undefined;
  }

  /**
   * Resolves when the epoch on its way is decided; rejects where it failed. Whoever has asked is told as soon as another
   * epoch may begin, and before anybody else can begin it.
   */
  settled(): Promise<void> {
    return this.#committing ?? Promise.resolve();
  }

  /** Something has failed since the last commit: nothing more is sent before {@link abort}. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The one of these tasks whose own rows could not be written, or all of them where the failure came of nothing such. */
  culprits(tasks: readonly string[]): readonly string[] {
    return this.#culprit === undefined ? tasks : [this.#culprit];
  }

  /**
   * Sends what is finished, unless a commit is on its way, or the log does not keep up: then it is held in the outputs,
   * whose bound makes the worker wait. Failures show at the commit.
   */
  flush(): void {
    if (this.#committing !== undefined || this.failed || this.#unanswered > MOST_UNANSWERED_BYTES) return;
    for (const sealed of this.#options.outputs.take()) this.#append(sealed);
  }

  /**
   * Ends the epoch: everything the outputs and cuts hold now. Answers at once; `settled` tells the outcome.
   */
  commit(parts: readonly EpochPart[]): void {
    assert(this.#committing === undefined, () => 'two commits at a time in one worker');
    failpoint('commit.cut');
    this.#options.observer?.cut();
    const { outputs } = this.#options;
    outputs.seal(true);
    for (const sealed of outputs.take()) this.#append(sealed);
    const epoch = parts.map((part): Changed => ({ part, touched: new Set() }));
    this.#write(epoch, this.#transactional ? 'all' : 'stores');
    const run = this.#run(epoch);
    this.#committing = run;
    run.then(
      () => {
        this.#committing = undefined;
      },
      (failure: unknown) => {
        this.#committing = undefined;
        this.#failure ??= failure;
      },
    );
  }

  /**
   * Gives up the open transaction, if any. Rejects where the log does not answer, or with `log.fenced`: then there
   * is a newer owner. Whether an unanswered commit held is known only to a producer that {@link renew} brings.
   */
  async abort(): Promise<void> {
    await this.#committing?.catch(() => undefined);
    await Promise.allSettled(this.#sent);
    this.#sent = [];
    this.#records = 0;
    this.#bytes = 0;
    const open = this.#open;
    this.#open = false;
    if (open) await this.#producer.abort();
  }

  /** Goes on with a new producer of the same transactional id: whatever the old one left open is decided by now. */
  async renew(producer: LogProducer): Promise<void> {
    const old = this.#producer;
    this.#producer = producer;
    this.#failure = undefined;
    this.#culprit = undefined;
    await old.close().catch(() => undefined);
  }

  /** Closes the producer; an open transaction is aborted by the log. */
  async close(): Promise<void> {
    await this.#producer.close();
  }

  #begin(): void {
    if (this.#open || !this.#transactional) return;
    this.#open = true;
    this.#producer.begin();
  }

  #append(sealed: Sealed): void {
    this.#begin();
    this.#records += sealed.records;
    this.#bytes += sealed.bytes.length;
    const { topic, partition } = sealed;
    const size = sealed.bytes.length;
    const task = this.#writing;
    this.#unanswered += size;
    const sent = this.#producer.append(topic, partition, sealed.bytes).then(
      (base) => {
        this.#unanswered -= size;
        this.#ends.set(topic, partition, base + sealed.records);
      },
      (failure: unknown) => {
        this.#unanswered -= size;
        if (this.#failure === undefined) this.#culprit = task;
        this.#failure ??= failure;
      },
    );
    this.#sent.push(sent);
    failpoint('commit.begun');
  }

  #write(epoch: readonly Changed[], rows: ChangelogRows): void {
    for (const { part, touched } of epoch) {
      this.#writing = part.task;
      this.#changelog.write(part, rows, touched);
    }
    this.#writing = undefined;
  }

  async #run(epoch: readonly Changed[]): Promise<void> {
    const parts = epoch.map(({ part }) => part);
    await this.#answered();
    failpoint('commit.appended');
    if (this.#transactional) await this.#endTransaction(parts);
    else await this.#endInOrder(epoch);
    failpoint('commit.committed');
    this.#options.observer?.committed({ records: this.#records, bytes: this.#bytes });
    this.#records = 0;
    this.#bytes = 0;
    for (const { part, touched } of epoch) part.state.committed(part.cut, changelogEnds(part, touched, this.#ends));
    failpoint('commit.published');
  }

  async #endTransaction(parts: readonly EpochPart[]): Promise<void> {
    if (parts.some(({ ended }) => ended !== undefined)) await this.#appendLedgerRows(parts);
    await this.#sendPositions(parts);
    failpoint('commit.positions');
    if (!this.#open) return;
    const ending = this.#producer.commit();
    failpoint('commit.ending');
    await ending;
    this.#open = false;
  }

  /** See the order of at-least-once in checkpoints.ts: outputs and rows of stores are answered by now. */
  async #endInOrder(epoch: readonly Changed[]): Promise<void> {
    for (const rows of ['progress', 'drops'] as const) {
      this.#write(epoch, rows);
      await this.#answered();
    }
    const parts = epoch.map(({ part }) => part);
    await this.#sendPositions(parts);
    failpoint('commit.positions');
    await this.#appendLedgerRows(parts);
    failpoint('commit.ending');
  }

  /**
   * Under the generation that came with the assignment of these tasks, never a fresher one. Where the group has moved
   * on meanwhile, the epoch goes on under the next assignment if all its tasks are kept in it.
   */
  async #sendPositions(parts: readonly EpochPart[]): Promise<void> {
    const positions: (TopicPartition & CommittedPosition)[] = [];
    for (const part of parts) positions.push(...part.positions);
    if (positions.length === 0) return;
    const tasks = parts.map(({ task }) => task);
    this.#begin();
    let identity = this.#options.identityFor(tasks);
    while (identity !== undefined) {
      try {
        await this.#producer.sendPositions(identity, positions);
        return;
      } catch (thrown) {
        if (!isFlowError(thrown, 'log.generation')) throw thrown;
        identity = await this.#options.nextIdentity(identity, tasks);
      }
    }
    throw new FlowError('task.lost', `one of the tasks ${tasks.join(', ')} was given to another worker`);
  }

  async #answered(): Promise<void> {
    while (this.#sent.length > 0) {
      const sent = this.#sent;
      this.#sent = [];
      for (const each of sent) await each;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #appendLedgerRows(parts: readonly EpochPart[]): Promise<void> {
    for (const { ended } of parts) if (ended !== undefined) this.#appendLedger(await ended());
    await this.#answered();
  }

  #appendLedger(row: LedgerRow): void {
    const { step } = this.#options;
    const builder = this.#ledger;
    const key = Buffer.from(row.key);
    const value = Buffer.from(JSON.stringify(row.value));
    step.begin();
    builder.append(row.at, key, 0, key.length, value, 0, value.length);
    step.settle();
    this.#append({ topic: this.#options.ledgerTopic, partition: 0, bytes: builder.finish(), records: 1 });
  }
}
