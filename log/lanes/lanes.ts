import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis, TopicPartition } from '../../core/ids.ts';
import type {
  CommittedPosition,
  GroupMember,
  Log,
  LogConnection,
  MemberOptions,
  ProducerOptions,
  ReaderOptions,
} from '../log.ts';
import { LaneAdmin } from './admin.ts';
import { Declarations } from './declarations.ts';
import { Directory } from './directory.ts';
import { placeBack, slotOf } from './group-positions.ts';
import { LaneProducer } from './producer.ts';
import { LaneReader } from './reader.ts';

/**
 * Topics of many small runs in a fixed pool of topics: a decorator of the log in which what `create` makes is a
 * *logical* topic that lies in a *lane*, a partition of one of the topics `nf.lane.<i>`, beside those of other runs.
 * So a run makes no topic and removes none; it writes a row when it begins to use one and a tombstone when that ends.
 *
 * - **Which**: `runOf` names the run that a topic belongs to. A topic of no run goes through to the log below untouched,
 *   and so does one of a run that was made there, or that did not fit (below).
 * - **Declarations** stand in the compacted topic `nf.lanes`, one row a topic: its id, settings, and for each of its
 *   partitions the lane and the position there at which it began. Each process keeps a table of them and reads on to the
 *   end before it describes, lists or makes a topic; of two who make one at a time the first row counts.
 * - **Places**: the lane of a run is drawn from its name, and partition p of each of its topics lies p lanes further: a
 *   transaction of a run touches as many partitions as the run has, whatever number of topics.
 * - **Batches** lie in the lane in an envelope (`envelope.ts`): a batch of their size whose first record has the id of
 *   the topic and the partition for its key, and for its value the batch as it was appended. Readers compare keys and
 *   cut the batch out where it lies; nothing is decoded. To any other client the lane is a topic of valid batches. The
 *   records of the envelope bear the time of the append, so that what a lane keeps goes by that, and not by the times
 *   of records, which may be of any year.
 * - **Positions** of a logical topic begin at 0, where its lane stood when it was declared. They have gaps where others
 *   wrote: a fetch may hold no batch and yet go on.
 * - **Groups, members, transactions** are those of the log below, so fencing and exactly-once hold as they do there. A
 *   group's position of a logical partition is stored under a partition of a lane topic that no other topic of the run
 *   has (its *slot*), with its id in the metadata, which may be 4 KiB less 32 bytes here. A topic that finds no slot
 *   left is made as a topic of its own: those of a run have half as many as there are partitions of lanes, 32 by default.
 *   Compacted ones are given slots only when a position of them is kept, and have the other half too; where none is left
 *   that is refused.
 *
 * What a logical topic does not have: compaction, retention and `deleteRecords` (it answers, and removes nothing).
 * Settings are kept and described. The lanes drop what is older than `retentionMs`, whoever reads it yet: a run
 * that goes back to that gets `log.range` with the cure, and never silently less.
 *
 * What sharing costs: a committed reader is held back by the open transaction of another run in the same lane, at most
 * for the time of a commit, and after a crash until that transaction is aborted, by its successor or at its timeout.
 * A reader passes over the batches of whoever shares its lane, from where its topic began.
 */
export interface LaneOptions {
  readonly clock: Clock;
  /** The run that a topic belongs to; `undefined`: it is none of a run and goes through. */
  runOf(topic: string): string | undefined;
  /** Of the lane topics, for good: whoever needs them first makes them. */
  readonly lanes?: Partial<LaneSettings>;
}

export interface LaneSettings {
  readonly topics: number;
  /** Of each lane topic. */
  readonly partitions: number;
  /** How long lanes keep what was appended: longer than a run goes on, restarts included. */
  readonly retentionMs: Millis;
}

export const DEFAULT_LANE_SETTINGS: LaneSettings = { topics: 8, partitions: 8, retentionMs: 86_400_000 };

/** The log below stays open when this one is closed. Fails where it does not give batches as they are. */
export function createLaneLog(log: Log, options: LaneOptions): Log {
  if (!log.capabilities.rawBatches) {
    const { driver } = log.capabilities;
    throw new FlowError(
      'log.unsupported',
      `the driver ${driver} opens batches, so its topics cannot be shared as lanes`,
    );
  }
  return new LaneLog(log, options);
}

class LaneLog implements Log {
  readonly capabilities: Log['capabilities'];
  readonly admin: LaneAdmin;
  readonly connection?: LogConnection;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #directory: Directory;
  readonly #readers = new Set<LaneReader>();
  #closed = false;

  constructor(log: Log, { clock, runOf, lanes = {} }: LaneOptions) {
    this.#log = log;
    this.#clock = clock;
    if (log.connection !== undefined) this.connection = log.connection;
    this.capabilities = { ...log.capabilities, threads: false };
    const settings = { ...DEFAULT_LANE_SETTINGS, ...lanes };
    const declarations = new Declarations({ log, clock, settings });
    this.#directory = new Directory({ runOf, declarations, check: () => this.#check() });
    this.admin = new LaneAdmin({
      admin: log.admin,
      directory: this.#directory,
      reader: () => this.reader({ isolation: 'committed' }),
    });
  }

  reader(options: ReaderOptions): LaneReader {
    this.#check();
    const parts = { directory: this.#directory, clock: this.#clock, admin: this.#log.admin };
    const reader = new LaneReader(parts, this.#log.reader(options), () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }

  async producer(options: ProducerOptions): Promise<LaneProducer> {
    this.#check();
    const { writes } = options;
    const topics = writes && (await this.#directory.physical(writes.topics));
    const below = await this.#log.producer(
      writes === undefined || topics === undefined ? options : { ...options, writes: { ...writes, topics } },
    );
    return new LaneProducer({ directory: this.#directory, clock: this.#clock }, below);
  }

  async join(options: MemberOptions): Promise<GroupMember> {
    this.#check();
    return this.#log.join(options);
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    const rows = await Promise.all(partitions.map((each) => this.#rowWithSlot(each.topic)));
    const { lanePartitions } = this.#directory.declarations;
    const slots = partitions.map((each, i) => slotOf(each, rows[i]!, lanePartitions));
    const asked = slots.filter((slot) => slot !== undefined);
    const found = await this.#log.committed(group, asked);
    let at = 0;
    return slots.map((slot, i) => {
      const kept = slot === undefined ? undefined : found[at++];
      return kept && placeBack(kept, partitions[i]!, rows[i]!);
    });
  }

  async #rowWithSlot(topic: string) {
    const row = await this.#directory.find(topic);
    return row === null || row.slot >= 0 ? row : this.#directory.upToDate(topic);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await this.#directory.close();
  }

  #check(): void {
    if (this.#closed) throw new FlowError('log.closed', 'the log of lanes was closed');
  }
}
