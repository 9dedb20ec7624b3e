import type { Bytes } from '../core/bytes.ts';
import type { Millis, Position, TopicPartition } from '../core/ids.ts';

/**
 * The partitioned log: the only boundary across which anything durable goes, and the only place that
 * knows of Kafka. Records travel as *record batches* in Kafka's v2 format (`batch.ts`), encoded once
 * and never opened by a driver except for their headers.
 *
 * What every driver promises, and `log.conformance.ts` checks:
 *
 * - Positions of a partition rise; they may have gaps (control records, compaction, aborted data).
 * - An answered append is durable to the driver's stated degree (`capabilities.durable`).
 * - A transaction's batches and input positions become visible to `committed` readers together, or never.
 *   A committed reader never passes the first record of an open transaction (the last stable position).
 * - One producer with a given transactional id at a time: opening a second fences the first, whose
 *   every later call fails with `log.fenced`. An open transaction of the fenced one is aborted.
 * - A group member's positions are accepted only for the group's current generation; a refusal (`log.generation`)
 *   leaves the transaction as it was, so that they can be sent again under the next assignment.
 * - Order within a partition is the order of appends of one producer.
 *
 * Errors are `FlowError`s with codes `log.*` or `topic.*`; messages name topic, partition, position.
 * After `log.timeout` or `log.aborted` inside a transaction the only legal calls are `abort` and `close`.
 */
export interface Log {
  readonly capabilities: LogCapabilities;
  readonly admin: LogAdmin;
  /** A reader of chosen partitions from chosen positions. */
  reader(options: ReaderOptions): LogReader;
  /** A producer; with `transactionalId` it fences its predecessor and starts without an open transaction. */
  producer(options: ProducerOptions): Promise<LogProducer>;
  /** Joins a group. Resolves when the first assignment is known. */
  join(options: MemberOptions): Promise<GroupMember>;
  /**
   * The committed input positions of a group, `undefined` where there is none yet. Waits while an open
   * transaction holds positions of one of them.
   */
  committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly (CommittedPosition | undefined)[]>;
  close(): Promise<void>;
  /** What whoever keeps the log running should know of it, and of these topics; changes nothing. */
  inspect?(topics: readonly string[]): Promise<readonly Finding[]>;
  /**
   * For whoever is about to work on the log: fails with `kafka.clock` where its clock and ours are too far apart, and
   * passes where it does not tell its time at once. Left out where the log goes by our clock.
   */
  checkClock?(): Promise<void>;
  /**
   * Where another thread opens a log of its own to the same topics, so that records do not cross threads; left out
   * where one thread must own the log.
   */
  readonly address?: LogAddress;
  /** How it goes with those who hold the log; left out where nothing lies between. */
  readonly connection?: LogConnection;
}

export interface LogConnection {
  /** Nobody has answered for some seconds. What was asked is asked again until they do. */
  readonly outage: Outage | undefined;
  /** How often something was asked again. */
  readonly retries: number;
}

export interface Outage {
  /** When it began, by the clock of the wall. */
  readonly since: Millis;
  readonly reason: string;
}

/** Can be posted to another thread. */
export interface LogAddress {
  readonly driver: 'kafka' | 'kafkajs';
  readonly options: unknown;
}

export interface Finding {
  readonly check: string;
  /** `warn`: it works, and something may be lost or may not go on when the next thing happens. */
  readonly state: 'ok' | 'warn' | 'bad';
  /** What was found, and the cure where it is not `ok`. */
  readonly found: string;
}

export interface LogCapabilities {
  readonly driver: string;
  /** Fetches and appends raw v2 batches without opening them. */
  readonly rawBatches: boolean;
  readonly transactions: boolean;
  /** The log itself refuses what stale producers write, and within transactions positions of a stale generation. */
  readonly fencing: boolean;
  /** Groups use the assignor that the member brings. */
  readonly ownAssignor: boolean;
  /** Another thread may open a log of its own to the same topics; `address` says where. */
  readonly threads: boolean;
  /** What an answered append survives. */
  readonly durable: 'process' | 'machine' | 'replicas';
}

// ---------------------------------------------------------------------------------------------
// admin

export interface LogAdmin {
  /** Creates a topic; fails with `topic.exists` where there is one. */
  create(topic: string, settings: TopicSettings): Promise<void>;
  /** `undefined` where there is no such topic. */
  describe(topic: string): Promise<TopicDescription | undefined>;
  list(): Promise<readonly string[]>;
  delete(topic: string): Promise<void>;
  /** Changes settings other than the partition count. */
  alter(topic: string, settings: Partial<Omit<TopicSettings, 'partitions'>>): Promise<void>;
  /** Removes all records below `before` (never above the last stable position). Answers the new start. */
  deleteRecords(topic: string, partition: number, before: Position): Promise<Position>;
  /** Bounds of a partition. */
  bounds(topic: string, partition: number): Promise<PartitionBounds>;
  /** A position with no committed record of that time or later below it; the stable end where there is none at all. */
  positionSince(topic: string, partition: number, timestamp: Millis): Promise<Position>;
  /** The groups known, and their committed positions; those of these names alone, which on a large cluster costs less. */
  groups(names?: readonly string[]): Promise<readonly GroupDescription[]>;
  /** Forgets a group's positions; refused (`log.locked`) while it has members. */
  deleteGroup(group: string): Promise<void>;
  /** Sets positions of a group and leaves its others; refused (`log.locked`) while it has members. */
  setPositions(group: string, positions: readonly (TopicPartition & CommittedPosition)[]): Promise<void>;
}

export interface TopicSettings {
  readonly partitions: number;
  /** Default: neither compaction nor deletion, records are kept for ever. */
  readonly cleanup?: 'none' | 'delete' | 'compact' | 'compact,delete';
  /** Age by record timestamp beyond which segments are deleted; -1 keeps them. Default -1. */
  readonly retentionMs?: Millis;
  /** Size of a partition beyond which old segments are deleted; -1 keeps them. Default -1. */
  readonly retentionBytes?: number;
  /** Default 64 MiB. */
  readonly segmentBytes?: number;
  /** The largest batch accepted, in bytes. Default 8 MiB. */
  readonly maxMessageBytes?: number;
  /** How long a tombstone stays in a compacted topic. Default 7 days. */
  readonly deleteRetentionMs?: Millis;
}

export interface TopicDescription {
  readonly topic: string;
  /** Differs when a topic was deleted and made anew under the same name. */
  readonly id: string;
  readonly settings: Required<TopicSettings>;
  /** Left out where a log keeps no copies. */
  readonly copies?: TopicCopies;
}

/** On how many brokers a topic is kept. */
export interface TopicCopies {
  /** Of the partition that has the fewest. */
  readonly fewest: number;
  /** So many must be in step, or the partition takes no records. */
  readonly needed: number;
  /** What the log was opened to give the topics that it makes; left out where nothing was asked. */
  readonly asked?: number;
}

export interface PartitionBounds {
  /** The first position that can still be read. */
  readonly start: Position;
  /** Where a committed reader ends now. */
  readonly stable: Position;
  /** Where the next record will stand: the uncommitted end. */
  readonly end: Position;
}

export interface GroupDescription {
  readonly group: string;
  readonly generation: number;
  readonly members: readonly string[];
  /** What members work on, by member; left out where a member's tasks are not known. */
  readonly tasks: ReadonlyMap<string, readonly string[]>;
  readonly positions: readonly (TopicPartition & CommittedPosition)[];
}

// ---------------------------------------------------------------------------------------------
// reading

export interface ReaderOptions {
  readonly isolation: 'committed' | 'uncommitted';
  /** Bytes one fetch may hold per partition, but always at least one batch. Default 1 MiB. */
  readonly maxPartitionBytes?: number;
}

/** So long whoever follows a log lets a fetch wait before it asks anew: what comes, or a signal, ends the wait. */
export const FOLLOW_WAIT_MS: Millis = 5000;

export interface LogReader {
  /** Adds partitions, or moves them to another position. */
  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void;
  unassign(partitions: readonly TopicPartition[]): void;
  /** A paused partition is not fetched; what is already fetched is not affected. */
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /**
   * What has come for the assigned, unpaused partitions; at most one element per partition. Waits up to
   * `maxWaitMs` for anything, then answers an empty list. One call at a time.
   */
  fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]>;
  /**
   * Where an assigned partition ends for this reader, behind all whose append or commit has been answered by now; the
   * position that it has, where its topic is gone. Left out where that has to be asked for, or where a commit is answered
   * before what it holds can be read.
   */
  end?(partition: TopicPartition): Position;
  close(): Promise<void>;
}

/**
 * Whole batches of one partition, in order, lying in one buffer. Control batches are left out, and for
 * `committed` readers aborted ones too; `next` tells where reading goes on, also past what was left out.
 * The first batch may begin below `position` (batches are never cut): the caller skips its first records.
 */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Bytes;
  /** Where batch i lies: `bytes[starts[i], ends[i])`. May be empty when only control records were passed. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** The position this fetch was asked for. */
  readonly position: Position;
  /** The position to read next. */
  readonly next: Position;
  /** The end of the partition for this isolation, as of this fetch. */
  readonly end: Position;
  /** Gives the buffer back; `bytes` may not be read after. Idempotent. */
  release(): void;
}

// ---------------------------------------------------------------------------------------------
// writing

export interface ProducerOptions {
  readonly transactionalId?: string;
  /** A transaction open for longer is aborted by the log and its producer fenced. Default 10 s. */
  readonly transactionTimeoutMs?: Millis;
  /**
   * What transactions of the id write. A log whose servers may forget to end a transaction in some partition looks
   * there, before the producer is answered, and aborts what an earlier one has left open.
   */
  readonly writes?: TransactionWrites;
}

export interface TransactionWrites {
  readonly topics: readonly string[];
  /** Whose positions they carry. */
  readonly group?: string;
}

export interface LogProducer {
  /**
   * Appends one encoded batch and takes over its bytes (they may be rewritten: base position, producer
   * fields, CRC are the driver's). Resolves with the position of its first record once durable, or, inside
   * a transaction, once taken into it. Appends to one partition keep the order of calls.
   */
  append(topic: string, partition: number, batch: Bytes): Promise<Position>;
  /** Starts a transaction. Costs nothing until the first append. */
  begin(): void;
  /**
   * Adds input positions of a group to the transaction; refused with `log.generation` unless the member's generation
   * is current. A producer without transactional id has no transaction: there they count by themselves, durable when
   * it resolves, so whoever writes what follows from them first, and awaits it, works at least once.
   */
  sendPositions(member: GroupIdentity, positions: readonly (TopicPartition & CommittedPosition)[]): Promise<void>;
  /** All or nothing, durable when it resolves. Every append must have resolved before. */
  commit(): Promise<void>;
  abort(): Promise<void>;
  close(): Promise<void>;
}

export interface CommittedPosition {
  readonly position: Position;
  /** Free text kept with the position; at most 4 KiB. */
  readonly metadata: string;
}

// ---------------------------------------------------------------------------------------------
// groups

export interface GroupIdentity {
  readonly group: string;
  readonly member: string;
  readonly generation: number;
}

export interface MemberOptions {
  readonly group: string;
  /** A name for people; the member id is derived from it. */
  readonly name: string;
  /** Opaque text that the assignor of the leading member sees, until `describe` or `rejoin` change it. */
  readonly metadata: string;
  /** Runs in one member, for all. A driver awaits the answer, since the member may live in another thread. */
  readonly assign: (...args: Parameters<Assign>) => ReturnType<Assign> | Promise<ReturnType<Assign>>;
  /**
   * Makes the member static: whoever joins under the same id takes its place, with its tasks and without a new
   * assignment for anybody. Its place outlasts `leave` and a crash until the session is over. Two at a time cannot have
   * one id: the newer one replaces the older.
   */
  readonly instanceId?: string;
  /** A member not heard of for longer is out. Default 6 s, of a static member 45 s. */
  readonly sessionTimeoutMs?: Millis;
  /**
   * Called when a new assignment holds; also once before `join` resolves. Rebalancing is cooperative: a task that
   * the member had and has again was its own all the time, and goes on without a pause.
   */
  onAssign(assignment: Assignment): void;
  /**
   * Called before tasks are given to another: finish or abort what was done for them, then resolve; nothing may be
   * written for them after. The other tasks go on. The identity of the last `onAssign` is the one that counts.
   */
  onRevoke(tasks: readonly string[]): Promise<void>;
  /**
   * The generation has changed on the way to a new assignment, while every member's tasks stay as they are. A log
   * knows of what joined through it; who writes for this member through another, as worker threads with connections of
   * their own do, goes on under this identity.
   */
  onRenew?(identity: GroupIdentity): void;
  /**
   * The member was put out of the group without being asked; nothing it does is accepted any more. `replaced`: another
   * has joined under its instance id, and to join again would put that one out.
   */
  onLost(reason: string, replaced: boolean): void;
}

/** What the assignor gives to a member. */
export interface Given {
  /** Its own: nobody else has them while it does. */
  readonly tasks: readonly string[];
  /**
   * Opaque text that comes with them; it gives nothing, and takes nothing from anybody. To a static member that has come
   * back it is what was said in its earlier life.
   */
  readonly metadata: string;
}

export interface Assignment extends GroupIdentity, Given {}

/** Pure and deterministic: members in order of id, answers what each is given, by member id. */
export type Assign = (
  members: readonly { readonly member: string; readonly metadata: string; readonly owned: readonly string[] }[],
) => ReadonlyMap<string, Given>;

export interface GroupMember {
  /** The current identity, for `sendPositions`. */
  readonly identity: GroupIdentity;
  /** Changes what assignors see of it from the next assignment on, without asking for one. */
  describe(metadata: string): void;
  /**
   * The same, and asks for a new assignment, for instance after the number of tasks changed. `owned`: what it works on,
   * where it has not taken up what it was assigned.
   */
  rejoin(metadata: string, owned?: readonly string[]): void;
  /** Ends the membership. The others share its tasks at once; those of a static member only where it goes for good. */
  leave(forGood?: boolean): Promise<void>;
}

export { createOnce } from './create-once.ts';
export { createLaneLog, DEFAULT_LANE_SETTINGS, type LaneOptions, type LaneSettings } from './lanes/lanes.ts';
export { partitionForKey } from './partitioner.ts';
export { connectLog } from './port/client.ts';
export { type LogServer, serveLog } from './port/server.ts';
export { sessionOf } from './session.ts';
