import { assert } from '../../core/assert.ts';
import type { Bytes } from '../../core/bytes.ts';
import { Deadline } from '../../core/deadline.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import { BATCH_HEADER_BYTES, batchLength, checkBatch } from '../batch.ts';
import { corrupt, isTransactional, producerId, recordCount, stampProducer } from '../batch-header.ts';
import type { Groups } from '../groups.ts';
import type { CommittedPosition, GroupIdentity, LogProducer, ProducerOptions } from '../log.ts';
import { type Context, checkOpen, partitionOf } from './context.ts';
import type { GroupPosition } from './journal-frame.ts';
import type { Partition } from './partition.ts';
import { Transaction } from './transaction.ts';

const DEFAULT_TIMEOUT_MS: Millis = 10_000;
/** Bytes of a partition waiting for the disk at which an append waits too. */
const PRESSURE_BYTES = 8 << 20;
const LONGEST_METADATA_BYTES = 4096;

/** Opens a producer; one with a transactional id fences the one before and ends its transaction. */
export async function openProducer(context: Context, groups: Groups, options: ProducerOptions): Promise<FileProducer> {
  checkOpen(context);
  const { transactionalId } = options;
  if (transactionalId === undefined) return new FileProducer(context, groups, options, -1, -1);
  await context.health.check();
  const row = context.producers.raise(transactionalId);
  const producer = new FileProducer(context, groups, options, row[1], row[2]);
  const before = context.producers.replace(transactionalId, producer);
  before?.fence();
  await Promise.all([before?.decided(), context.committer.record({ type: 'producer', row })]);
  return producer;
}

export class FileProducer implements LogProducer {
  readonly #context: Context;
  readonly #groups: Groups;
  readonly #transactionalId: string | undefined;
  readonly #timeoutMs: Millis;
  readonly #id: number;
  readonly #epoch: number;
  readonly #sequences = new Map<Partition, number>();
  /** Of the open transaction. */
  readonly #deadline: Deadline;
  #begun = false;
  #closed = false;
  #transaction: Transaction | undefined;
  #committing: Promise<void> | undefined;

  constructor(context: Context, groups: Groups, options: ProducerOptions, id: number, epoch: number) {
    this.#context = context;
    this.#groups = groups;
    this.#transactionalId = options.transactionalId;
    this.#timeoutMs = options.transactionTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#id = id;
    this.#epoch = epoch;
    this.#deadline = new Deadline(context.clock, () => this.#expire());
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    this.#check();
    const { health, committer } = this.#context;
    if (health.failure !== undefined) await health.check();
    const target = partitionOf(this.#context, topic, partition);
    checkSize(target, batch);
    if (this.#transactionalId === undefined) {
      if (producerId(batch, 0) === -1 && !isTransactional(batch, 0))
        checkBatch(batch, 0, batch.length, { topic, partition });
      else stampProducer(batch, 0, NOBODY);
      const alone = new Transaction(-1, -1);
      const position = target.append(alone, batch);
      await committer.commit(alone);
      return position;
    }
    const owner = this.#open();
    const baseSequence = this.#sequences.get(target) ?? 0;
    this.#sequences.set(target, (baseSequence + recordCount(batch, 0)) % 2147483648);
    stampProducer(batch, 0, { producerId: this.#id, producerEpoch: this.#epoch, baseSequence, transactional: true });
    const position = target.append(owner, batch);
    target.relieve();
    if (target.unwritten > PRESSURE_BYTES) await this.#waitForDisk(target);
    return position;
  }

  begin(): void {
    this.#check();
    assert(this.#transactionalId !== undefined, () => 'only a producer with a transactional id begins a transaction');
    assert(!this.#begun, () => `producer ${this.#transactionalId} has a transaction already`);
    this.#begun = true;
  }

  async sendPositions(
    member: GroupIdentity,
    positions: readonly (TopicPartition & CommittedPosition)[],
  ): Promise<void> {
    this.#check();
    this.#groups.check(member);
    const rows = positions.map(({ topic, partition, position, metadata }): GroupPosition => {
      if (metadata.length * 3 > LONGEST_METADATA_BYTES && Buffer.byteLength(metadata) > LONGEST_METADATA_BYTES) {
        throw new FlowError(
          'log.oversize',
          `the metadata of group ${member.group} at ${partitionName(topic, partition)} has more than ${LONGEST_METADATA_BYTES} bytes; shorten it`,
        );
      }
      return [member.group, topic, partition, position, metadata];
    });
    if (this.#transactionalId !== undefined) {
      this.#context.positions.hold(this.#open(), rows);
      return;
    }
    if (this.#context.health.failure !== undefined) await this.#context.health.check();
    const alone = new Transaction(-1, -1);
    this.#context.positions.hold(alone, rows);
    await this.#context.committer.commit(alone);
  }

  async commit(): Promise<void> {
    this.#check();
    assert(this.#begun, () => `producer ${this.#transactionalId} has no transaction to commit`);
    const owner = this.#transaction;
    if (owner !== undefined) {
      if (this.#context.health.failure !== undefined) await this.#context.health.check();
      this.#deadline.clear();
      this.#committing = this.#context.committer.commit(owner);
      this.#transaction = undefined;
      try {
        await this.#committing;
      } finally {
        this.#committing = undefined;
        this.#begun = false;
      }
    }
    this.#begun = false;
  }

  async abort(): Promise<void> {
    this.#check();
    this.#drop();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#drop();
    this.#deadline.close();
    await this.decided();
    const { producers } = this.#context;
    const id = this.#transactionalId;
    if (id !== undefined && producers.current(id) === this) producers.replace(id, undefined);
  }

  /** A newer one has taken over: what is open is aborted. What is being committed goes on. */
  fence(): void {
    this.#drop();
  }

  /** Resolves when no commit is under way. */
  async decided(): Promise<void> {
    await this.#committing?.catch(() => undefined);
  }

  #check(): void {
    checkOpen(this.#context);
    if (this.#closed) throw new FlowError('log.closed', `producer ${this.#transactionalId ?? ''} was closed`);
    if (this.#transactionalId !== undefined) {
      this.#context.producers.check(this.#transactionalId, this.#id, this.#epoch);
    }
  }

  #open(): Transaction {
    assert(this.#begun && this.#committing === undefined, () => `producer ${this.#transactionalId} has not begun`);
    if (this.#transaction === undefined) {
      this.#transaction = new Transaction(this.#id, this.#epoch);
      this.#deadline.set(this.#timeoutMs);
    }
    return this.#transaction;
  }

  #drop(): void {
    this.#deadline.clear();
    this.#begun = false;
    const owner = this.#transaction;
    this.#transaction = undefined;
    if (owner !== undefined && owner.state === 'open') this.#context.committer.abort(owner);
  }

  #expire(): void {
    if (this.#context.closed || this.#transaction === undefined) return;
    this.#drop();
    const row = this.#context.producers.raise(this.#transactionalId!);
    this.#context.committer.record({ type: 'producer', row }).catch(() => undefined);
  }

  async #waitForDisk(target: Partition): Promise<void> {
    try {
      await target.flush();
    } catch (thrown) {
      throw this.#context.health.fail(thrown, false);
    }
  }
}

const NOBODY = { producerId: -1, producerEpoch: -1, baseSequence: -1, transactional: false };

function checkSize(target: Partition, batch: Bytes): void {
  const where = { topic: target.topic.name, partition: target.number };
  const { maxMessageBytes } = target.topic.settings;
  if (batch.length > maxMessageBytes) {
    throw new FlowError(
      'log.oversize',
      `a batch of ${batch.length} bytes for ${partitionName(where.topic, where.partition)} at position ${target.end} is larger than ` +
        `the topic's maxMessageBytes of ${maxMessageBytes}; raise it, or write smaller batches`,
    );
  }
  if (batch.length < BATCH_HEADER_BYTES || batchLength(batch, 0) !== batch.length || batch[16] !== 2) {
    throw corrupt(where, target.end, `the ${batch.length} bytes to append are not one whole batch of format 2`);
  }
}
