import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoints.ts';
import type { Position } from '../../core/ids.ts';
import type { Health } from './health.ts';
import type { Journal } from './journal.ts';
import {
  type CommittedRange,
  type EmbeddedBatch,
  type Entry,
  encodeEntry,
  type SnapshotEntry,
} from './journal-frame.ts';
import type { Partition } from './partition.ts';
import type { Positions } from './positions.ts';
import type { TailBatch, Transaction } from './transaction.ts';

/** Bytes of embedded batches in one round, over all transactions. */
const ROUND_EMBED_BYTES = 2 << 20;

interface Job {
  readonly owner: Transaction | undefined;
  readonly entry: Entry | undefined;
  /** Set where the job is a checkpoint or another work that no commit may overlap. */
  readonly work: (() => Promise<void>) | undefined;
  resolve(): void;
  reject(reason: unknown): void;
}

export interface CommitterOptions {
  readonly journal: Journal;
  readonly health: Health;
  readonly positions: Positions;
  readonly embedBytes: number;
  readonly journalBytes: number;
  partitions(): Iterable<Partition>;
  snapshot(): SnapshotEntry;
}

/**
 * The one place that writes the journal. Whatever asks while a round is under way is taken together in the
 * next, with one sync for all: an entry is the commit point of its transaction.
 */
export class Committer {
  /** Rounds with one sync of the journal, and the entries that went with them. */
  rounds = 0;
  entries = 0;
  readonly #options: CommitterOptions;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Commits durably; fails with `log.full`, and the transaction is aborted then. */
  commit(owner: Transaction): Promise<void> {
    owner.state = 'committing';
    return this.#add({ owner, entry: undefined, work: undefined });
  }

  /** Stores a fact durably. */
  record(entry: Entry): Promise<void> {
    return this.#add({ owner: undefined, entry, work: undefined });
  }

  /** Runs between two rounds. */
  between(work: () => Promise<void>): Promise<void> {
    return this.#add({ owner: undefined, entry: undefined, work });
  }

  /** Puts everything into its segment and begins a new journal. */
  checkpoint(): Promise<void> {
    return this.between(() => this.#checkpoint());
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #add(job: Omit<Job, 'resolve' | 'reject'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...job, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    await undefined;
    while (this.#queue.length > 0) {
      const round = this.#queue;
      this.#queue = [];
      const jobs = round.filter((job) => job.work === undefined);
      if (jobs.length > 0) await this.#round(jobs);
      for (const job of round) if (job.work !== undefined) await job.work().then(job.resolve, job.reject);
      const { journal, health, journalBytes } = this.#options;
      if (journal.size > journalBytes && health.failure === undefined) await this.#checkpoint().catch(() => undefined);
    }
    this.#running = undefined;
  }

  async #round(jobs: readonly Job[]): Promise<void> {
    const { journal, health } = this.#options;
    try {
      await journal.append(await this.#prepare(jobs));
    } catch (thrown) {
      await this.#takeBack(jobs, thrown);
      return;
    }
    this.rounds++;
    this.entries += jobs.length;
    for (const { owner, resolve } of jobs) {
      if (owner !== undefined) this.#apply(owner);
      resolve();
    }
    if (health.failure === undefined) failpoint('file.commit.answered');
  }

  async #takeBack(jobs: readonly Job[], thrown: unknown): Promise<void> {
    const { journal, health } = this.#options;
    let lost = false;
    try {
      await journal.cutBack();
    } catch {
      lost = true;
    }
    const failure = health.fail(thrown, lost);
    for (const { owner, reject } of jobs) {
      if (owner !== undefined) this.abort(owner);
      reject(failure);
    }
  }

  /** Makes durable what the entries will rely on; answers the entries. */
  async #prepare(jobs: readonly Job[]): Promise<Bytes[]> {
    const { embedBytes } = this.#options;
    const flushing = new Set<Partition>();
    let room = ROUND_EMBED_BYTES;
    const frames = jobs.map(({ owner, entry }) => {
      if (owner === undefined) return { entry: entry!, payload: [] };
      owner.embedded = owner.unwritten <= embedBytes && owner.unwritten <= room;
      if (owner.embedded) room -= owner.unwritten;
      else for (const partition of owner.writes.keys()) flushing.add(partition);
      return frameOf(owner);
    });
    if (flushing.size > 0) await Promise.all([...flushing].map((partition) => partition.flush()));
    failpoint('file.commit.flushed');
    const syncing = new Set(flushing);
    for (const { owner } of jobs) {
      if (owner === undefined) continue;
      for (const [partition, writes] of owner.writes) if (writes.handedOver >= 0) syncing.add(partition);
    }
    if (syncing.size > 0) await this.#sync(syncing);
    failpoint('file.commit.segmentsSynced');
    const parts: Bytes[] = [];
    for (const { entry, payload } of frames) parts.push(...encodeEntry(entry, payload));
    return parts;
  }

  /** After a sync that failed nobody knows what the disk holds, however often one asks again. */
  async #sync(partitions: Iterable<Partition>): Promise<void> {
    try {
      await Promise.all([...partitions].map((partition) => partition.sync()));
    } catch (thrown) {
      throw this.#options.health.fail(thrown, true);
    }
  }

  #apply(owner: Transaction): void {
    owner.state = 'committed';
    this.#options.positions.decide(owner, true);
    for (const partition of owner.writes.keys()) {
      partition.settle(owner);
      partition.relieve();
    }
  }

  /** Nothing of it will ever count. Touches no disk: what no entry commits is aborted. */
  abort(owner: Transaction): void {
    owner.state = 'aborted';
    this.#options.positions.decide(owner, false);
    for (const partition of owner.writes.keys()) partition.discard(owner);
  }

  async #checkpoint(): Promise<void> {
    const { journal, health } = this.#options;
    try {
      const dirty = [...this.#options.partitions()].filter((each) => each.tail.length > 0 || each.dirty);
      await Promise.all(dirty.map((partition) => partition.flush()));
      failpoint('file.checkpoint.flushed');
      await this.#sync(dirty);
      failpoint('file.checkpoint.synced');
      for (const partition of this.#options.partitions()) await partition.saveIndexes();
      await journal.rotate(this.#options.snapshot());
      for (const partition of this.#options.partitions()) partition.checkpointed();
    } catch (thrown) {
      if (thrown instanceof FlowError) throw thrown;
      throw health.fail(thrown, false);
    }
  }
}

function frameOf(owner: Transaction): { entry: Entry; payload: Bytes[] } {
  const ranges: CommittedRange[] = [];
  const batches: EmbeddedBatch[] = [];
  const payload: Bytes[] = [];
  for (const [partition, writes] of owner.writes) {
    const { id } = partition.topic;
    const held = owner.embedded ? writes.batches.filter((batch) => batch.bytes.length > 0) : [];
    for (const { base, bytes } of held) {
      batches.push([id, partition.number, base, bytes.length]);
      payload.push(bytes);
    }
    ranges.push([id, partition.number, writes.ranges, lastInSegment(writes.ranges, held)]);
  }
  const { producerId, epoch, positions } = owner;
  return { entry: { type: 'commit', producerId, epoch, ranges, batches, positions }, payload };
}

/** The highest position that recovery must find in a segment: all below the first embedded batch, -1 for none. */
function lastInSegment(ranges: readonly Position[], held: readonly TailBatch[]): Position {
  const below = held.length === 0 ? Number.POSITIVE_INFINITY : held[0]!.base;
  for (let i = ranges.length - 2; i >= 0; i -= 2) if (ranges[i]! < below) return Math.min(ranges[i + 1]!, below - 1);
  return -1;
}
