import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import { partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';
import { Groups } from '../groups.ts';
import type {
  CommittedPosition,
  GroupDescription,
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
import { createAdmin } from './admin.ts';
import { compactPartition } from './compaction.ts';
import { type FaultOptions, Faults } from './faults.ts';
import { News } from './news.ts';
import { MemoryProducer } from './producer.ts';
import { MemoryReader } from './reader.ts';
import { Topics } from './topics.ts';
import { Transactions } from './transactions.ts';

export interface MemoryLogOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults?: FaultOptions;
}

/** A log within the process, for tests and simulation: on the given clock, with faults on demand. */
export interface MemoryLog extends Log {
  readonly faults: Faults;
  /** Compacts a topic now, whatever its settings say. */
  compact(topic: string): void;
  /** Applies a topic's retention now. */
  expire(topic: string): void;
  /** The member is heard of no more; its session ends. */
  silence(member: string): void;
}

export function createMemoryLog(options: MemoryLogOptions): MemoryLog {
  return new DefaultMemoryLog(options);
}

class DefaultMemoryLog implements MemoryLog {
  readonly capabilities: LogCapabilities = {
    driver: 'memory',
    rawBatches: true,
    transactions: true,
    fencing: true,
    ownAssignor: true,
    threads: false,
    durable: 'process',
  };
  readonly admin: LogAdmin;
  readonly faults: Faults;
  readonly #clock: Clock;
  readonly #topics = new Topics();
  readonly #news = new News();
  readonly #transactions: Transactions;
  readonly #groups: Groups;
  readonly #silent = new Set<string>();
  readonly #readers = new Set<LogReader>();
  #closed = false;

  constructor({ clock, random, faults }: MemoryLogOptions) {
    this.#clock = clock;
    this.faults = new Faults(clock, random, faults ?? {});
    this.#transactions = new Transactions(clock, this.faults, this.#news);
    this.#groups = new Groups({ clock, heard: (member) => this.#heard(member) });
    this.admin = createAdmin({
      topics: this.#topics,
      request: (what, execute) => this.#request(what, execute),
      deleteTopic: (topic) => this.#deleteTopic(topic),
      groups: (names) => this.#describeGroups(names),
      deleteGroup: (group) => this.#deleteGroup(group),
      setPositions: (group, positions) => this.#setPositions(group, positions),
      reader: () => this.reader({ isolation: 'committed' }),
    });
  }

  reader(options: ReaderOptions): LogReader {
    this.#check();
    const { faults } = this;
    const reader = new MemoryReader({ clock: this.#clock, topics: this.#topics, news: this.#news, faults }, options);
    this.#readers.add(reader);
    return reader;
  }

  producer(options: ProducerOptions): Promise<LogProducer> {
    return this.#request('a producer', () => {
      const session = this.#transactions.open(options);
      this.#news.tell();
      return new MemoryProducer(
        {
          topics: this.#topics,
          faults: this.faults,
          transactions: this.#transactions,
          checkMember: (identity) => this.#groups.check(identity),
          tell: () => this.#news.tell(),
          check: () => this.#check(),
        },
        session,
      );
    });
  }

  async join(options: MemberOptions): Promise<GroupMember> {
    this.#check();
    return this.#groups.join(options);
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    this.#check();
    if (this.faults.strikes('late-answer', 'committed')) await this.#clock.sleep(this.faults.lateMs);
    await undefined;
    const positions = this.#transactions.group(group);
    while (positions.unstable(partitions)) {
      await this.#news.wait(this.#clock, Number.POSITIVE_INFINITY);
      this.#check();
    }
    return partitions.map((partition) => positions.get(partition));
  }

  compact(name: string): void {
    const { settings, partitions } = this.#topics.get(name);
    for (const partition of partitions) compactPartition(partition, this.#clock.now(), settings.deleteRetentionMs);
  }

  expire(name: string): void {
    const { settings, partitions } = this.#topics.get(name);
    const { retentionMs, retentionBytes } = settings;
    const oldest = retentionMs < 0 ? Number.NEGATIVE_INFINITY : this.#clock.now() - retentionMs;
    const most = retentionBytes < 0 ? Number.POSITIVE_INFINITY : retentionBytes;
    if (settings.cleanup.includes('delete')) for (const partition of partitions) partition.expire(oldest, most);
  }

  silence(member: string): void {
    this.#silent.add(member);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#groups.close();
    for (const reader of this.#readers) await reader.close();
    this.#transactions.close();
    this.#news.tell();
  }

  async #request<T>(what: string, execute: () => T): Promise<T> {
    this.#check();
    return this.faults.request('admin', what, execute);
  }

  #check(): void {
    if (this.#closed) throw new FlowError('log.closed', 'the log was closed');
  }

  #heard(member: string): boolean {
    if (!this.#silent.has(member) && this.faults.strikes('lost-member', 'heartbeat')) this.#silent.add(member);
    return !this.#silent.has(member);
  }

  #deleteTopic(topic: string): void {
    this.#topics.delete(topic);
    this.#transactions.forgetTopic(topic);
    this.#news.tell();
  }

  #describeGroups(names?: readonly string[]): readonly GroupDescription[] {
    const known = new Set([...this.#groups.names(), ...this.#transactions.groupNames()]);
    return [...known]
      .filter((name) => names?.includes(name) ?? true)
      .sort()
      .map((group) => ({
        group,
        generation: this.#groups.generation(group),
        members: this.#groups.members(group),
        tasks: this.#groups.tasks(group),
        positions: [...this.#transactions.group(group).rows()].sort(byPartition),
      }))
      .filter(({ members, positions }) => members.length > 0 || positions.length > 0);
  }

  #deleteGroup(group: string): void {
    this.#groups.checkEmpty(group);
    this.#groups.forget(group);
    this.#transactions.forgetGroup(group);
  }

  #setPositions(group: string, positions: readonly (TopicPartition & CommittedPosition)[]): void {
    this.#groups.checkEmpty(group);
    for (const { topic, partition } of positions) this.#topics.partition(topic, partition);
    const kept = this.#transactions.group(group);
    for (const row of positions) kept.put(row);
  }
}

function byPartition(a: TopicPartition, b: TopicPartition): number {
  const one = partitionName(a.topic, a.partition);
  const other = partitionName(b.topic, b.partition);
  return one < other ? -1 : one > other ? 1 : 0;
}

export type { FaultOptions } from './faults.ts';
export { FAULTS, type Fault, type Faults } from './faults.ts';
