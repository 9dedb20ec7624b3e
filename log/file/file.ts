import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { TopicPartition } from '../../core/ids.ts';
import { Groups } from '../groups.ts';
import type {
  CommittedPosition,
  GroupMember,
  Log,
  LogAdmin,
  LogCapabilities,
  LogProducer,
  LogReader,
  MemberOptions,
  ProducerOptions,
  ReaderOptions,
} from '../log.ts';
import { FileAdmin } from './admin.ts';
import { BufferPool } from './buffers.ts';
import { Committer } from './committer.ts';
import { type Context, checkOpen, type FileLogOptions } from './context.ts';
import type { Disk } from './disk.ts';
import { Health } from './health.ts';
import { Journal } from './journal.ts';
import type { SnapshotEntry } from './journal-frame.ts';
import { Maintenance } from './maintenance.ts';
import { nodeDisk } from './node-disk.ts';
import { loadFolder } from './open.ts';
import { Positions } from './positions.ts';
import { openProducer } from './producer.ts';
import { Producers } from './producers.ts';
import { FileReader } from './reader.ts';
import type { Topic } from './topic.ts';

export type { FileLogOptions } from './context.ts';
export type { Disk, DiskFile } from './disk.ts';
export { FILE_FAILPOINTS } from './failpoints.ts';

export interface FileLogSettings {
  /** Made where it does not exist. */
  readonly directory: string;
  readonly clock: Clock;
  /** Default: the machine's own file system. */
  readonly fs?: Disk;
  readonly options?: FileLogOptions;
}

/** The embedded durable log, with a few figures of its own. */
export interface FileLog extends Log {
  /** One round of retention and compaction, now. Answers what it did. */
  maintain(): Promise<MaintenanceFigures>;
  /** Puts all batches into their segments and begins a new journal. */
  checkpoint(): Promise<void>;
  figures(): FileLogFigures;
}

export interface MaintenanceFigures {
  readonly removedSegments: number;
  readonly compactedSegments: number;
  readonly removedRecords: number;
}

export interface FileLogFigures {
  /** Journal syncs, and the commits and facts that they made durable. */
  readonly syncs: number;
  readonly entries: number;
  readonly journalBytes: number;
}

/**
 * Opens the log in a folder, as its only owner: recovers what is there, aborts what no journal entry commits.
 * Fails with `log.locked`, `log.format` or `log.corrupt`.
 */
export async function createFileLog(settings: FileLogSettings): Promise<FileLog> {
  const { directory, clock, fs = nodeDisk } = settings;
  const unlock = await fs.lock(directory);
  try {
    return await open(directory, clock, fs, settings.options ?? {}, unlock);
  } catch (thrown) {
    await unlock();
    throw thrown;
  }
}

async function open(
  directory: string,
  clock: Clock,
  disk: Disk,
  given: FileLogOptions,
  unlock: () => Promise<void>,
): Promise<FileLog> {
  const options = { journalBytes: 64 << 20, embedBytes: 256 << 10, maintainMs: 30_000, ...given };
  const topics = new Map<string, Topic>();
  const producers = new Producers();
  const positions = new Positions();
  const generations = new Map<string, number>();
  const health = new Health(clock, directory, () => probe(disk, directory));
  const loaded = await loadFolder({ disk, directory, topics, producers, positions, generations });
  const journal = new Journal(disk, join(directory, 'journal'), loaded.journalNumber);
  const committer = new Committer({
    journal,
    health,
    positions,
    embedBytes: options.embedBytes,
    journalBytes: options.journalBytes,
    partitions: () => [...topics.values()].flatMap((topic) => topic.partitions),
    snapshot: (): SnapshotEntry => ({
      type: 'snapshot',
      nextProducerId: producers.nextId,
      producers: producers.rows(),
      positions: positions.rows(),
      generations: [...generations],
      partitions: [...topics.values()].flatMap((topic) => topic.partitions.map((partition) => partition.row())),
    }),
  });
  const groups = new Groups({
    clock,
    generation: (group) => generations.get(group) ?? 0,
    onGeneration: (group, generation) => {
      generations.set(group, generation);
      committer.record({ type: 'generation', group, generation }).catch(() => undefined);
    },
  });
  const context: Context = {
    ...{ directory, disk, clock, options, topics, producers, positions, committer, health },
    ...{ ids: loaded.ids, buffers: new BufferPool(), closed: false },
  };
  await committer.checkpoint();
  return new OpenFileLog(context, groups, journal, unlock);
}

class OpenFileLog implements FileLog {
  readonly capabilities: LogCapabilities = {
    driver: 'file',
    rawBatches: true,
    transactions: true,
    fencing: true,
    ownAssignor: true,
    threads: false,
    durable: 'machine',
  };
  readonly admin: LogAdmin;
  readonly #context: Context;
  readonly #groups: Groups;
  readonly #journal: Journal;
  readonly #maintenance: Maintenance;
  readonly #readers = new Set<FileReader>();
  readonly #unlock: () => Promise<void>;

  constructor(context: Context, groups: Groups, journal: Journal, unlock: () => Promise<void>) {
    this.#context = context;
    this.#groups = groups;
    this.#journal = journal;
    this.#unlock = unlock;
    this.admin = new FileAdmin(context, groups, () => this.reader({ isolation: 'committed' }));
    this.#maintenance = new Maintenance(context);
    this.#maintenance.start();
  }

  reader(options: ReaderOptions): LogReader {
    checkOpen(this.#context);
    const reader = new FileReader(this.#context, options, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }

  async producer(options: ProducerOptions): Promise<LogProducer> {
    return await openProducer(this.#context, this.#groups, options);
  }

  async join(options: MemberOptions): Promise<GroupMember> {
    checkOpen(this.#context);
    return await this.#groups.join(options);
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    checkOpen(this.#context);
    return await this.#context.positions.committed(group, partitions);
  }

  maintain(): Promise<MaintenanceFigures> {
    checkOpen(this.#context);
    return this.#maintenance.round();
  }

  checkpoint(): Promise<void> {
    checkOpen(this.#context);
    return this.#context.committer.checkpoint();
  }

  figures(): FileLogFigures {
    const { rounds, entries } = this.#context.committer;
    return { syncs: rounds, entries, journalBytes: this.#journal.size };
  }

  async close(): Promise<void> {
    if (this.#context.closed) return;
    await this.#maintenance.stop();
    const { committer, topics, health } = this.#context;
    this.#groups.close();
    this.#context.closed = true;
    for (const reader of [...this.#readers]) await reader.close();
    if (health.failure === undefined) await committer.checkpoint().catch(() => undefined);
    await committer.idle();
    for (const topic of topics.values()) for (const partition of topic.partitions) await partition.close();
    await this.#journal.close();
    await this.#unlock();
  }
}

/** Whether the disk takes a write again. */
async function probe(disk: Disk, directory: string): Promise<void> {
  const path = join(directory, 'probe');
  const file = await disk.open(path, true);
  try {
    await file.write([Buffer.alloc(64 << 10)], 0);
    await file.datasync();
  } finally {
    await file.close();
    await disk.unlink(path);
  }
}
