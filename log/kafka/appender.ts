import { recycle } from '../../core/buffer-pool.ts';
import { type Bytes, writeInt32 } from '../../core/bytes.ts';
import { doubled } from '../../core/duration.ts';
import { FlowError, messageOf } from '../../core/errors.ts';
import { type Millis, type Position, partitionName } from '../../core/ids.ts';
import { checkBatch, recordCount, stampPosition, stampProducer } from '../batch-header.ts';
import type { BrokerId, Cluster } from './cluster.ts';
import { failureOf, Stale } from './error-codes.ts';
import { PartitionQueue, type Pending } from './partition-queue.ts';
import { type Flight, ProduceChannel } from './produce-channel.ts';
import type { ProduceResult } from './produce-codec.ts';

/** Under whose name batches are written. */
export interface Stamp {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** The transaction before the open one, as far as that must wait for it. */
export interface Predecessor {
  /** Under which the open transaction runs. */
  readonly stamp: Stamp;
  /** Its markers stand, or are sure to: nothing has happened since its end that could have lost them. */
  readonly isLastComplete: boolean;
  /** Sees to its markers. Nothing may be under way meanwhile; the stamp may be another one then. */
  completeLast(): Promise<void>;
  /** The log has taken something of the open transaction. */
  accepted(): void;
}

export interface AppenderParts {
  readonly cluster: Cluster;
  readonly transactionalId: string | undefined;
  /** Of the request. */
  readonly version: number;
  /** The role of its sockets. */
  readonly role: string;
  /** A request not answered for longer is sent again over another socket. */
  readonly timeoutMs: Millis;
  /** The largest batch that a topic takes, asked for where one was too large. */
  limitOf(topic: string): Promise<number | undefined>;
  /** Lets a partition take part in the open transaction; asked before its first batch is sent. */
  readonly admit?: (topic: string, partition: number) => Promise<void>;
  readonly predecessor?: Predecessor;
  /** What became of a request is not known; it is sent again. */
  readonly onUnsure?: () => void;
  /** A batch was given up: what was written under this stamp is not known, or is void. */
  readonly onGivenUp: (failure: FlowError) => void;
}

const FIRST_REST_MS: Millis = 2;
const LONGEST_REST_MS: Millis = 1000;
/** Where the leader's epoch stands in a batch: the broker fills it in. */
const LEADER_EPOCH_AT = 12;

const CORRUPT = 2;
const OUT_OF_ORDER_SEQUENCE = 45;
const DUPLICATE_SEQUENCE = 46;
const UNKNOWN_PRODUCER = 59;

/**
 * Appends batches over sockets of our own. Those that come in one turn of the loop travel together, at most one a
 * partition in a request; a partition's batches keep their order, and each is taken once, whatever is sent again.
 */
export class Appender {
  readonly #parts: AppenderParts;
  readonly #queues = new Map<string, PartitionQueue>();
  readonly #channels = new Map<BrokerId, ProduceChannel>();
  /** Partitions with something new to send, looked at in the next turn. */
  readonly #fresh = new Set<PartitionQueue>();
  #stamp: Stamp;
  #scheduled = false;
  /** Nothing is sent until the next {@link restart}. */
  #halted = false;
  #quiet: (() => void)[] = [];
  #completing: Promise<void> | undefined;

  constructor(parts: AppenderParts, stamp: Stamp) {
    this.#parts = parts;
    this.#stamp = stamp;
  }

  append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    const { clock, patienceMs } = this.#parts.cluster;
    return new Promise((resolve, reject) => {
      const name = partitionName(topic, partition);
      let queue = this.#queues.get(name);
      if (queue === undefined) {
        queue = new PartitionQueue(topic, partition);
        this.#queues.set(name, queue);
      }
      const deadline = clock.monotonic() + patienceMs;
      const records = recordCount(batch, 0);
      queue.push({ batch, records, deadline, sequence: -1, again: false, done: false, resolve, reject });
      this.#offer(queue);
    });
  }

  /** Nothing more is sent until {@link restart}. Resolves when nothing is under way. */
  halt(): Promise<void> {
    this.#halted = true;
    return new Promise((resolve) => {
      this.#quiet.push(resolve);
      this.#tellQuiet();
    });
  }

  /** Resolves when the transaction before is complete; sends nothing until then, and goes on under its stamp. */
  complete(): Promise<void> {
    const { predecessor } = this.#parts;
    if (this.#completing !== undefined) return this.#completing;
    if (predecessor === undefined || predecessor.isLastComplete) return Promise.resolve();
    this.#completing = this.#complete(predecessor).finally(() => {
      this.#completing = undefined;
    });
    return this.#completing;
  }

  /** Resolves when nothing is done for the transaction before, whatever came of it. */
  async completed(): Promise<void> {
    await this.#completing?.catch(() => undefined);
  }

  async #complete(predecessor: Predecessor): Promise<void> {
    await this.halt();
    await predecessor.completeLast();
    this.restart(predecessor.stamp);
  }

  /** Rejects everything that is not answered yet, and sends nothing more until {@link restart}. */
  fail(failure: unknown): void {
    this.#halted = true;
    for (const queue of this.#queues.values()) {
      for (const pending of queue.clear()) reject(pending, failure);
    }
  }

  /** Goes on under this stamp. Sequences begin anew unless it is the same; partitions are admitted anew. */
  restart(stamp: Stamp): void {
    const before = this.#stamp;
    const sameProducer = stamp.producerId === before.producerId;
    this.#stamp = stamp;
    this.#halted = false;
    for (const queue of this.#queues.values()) {
      if (!sameProducer || stamp.producerEpoch !== before.producerEpoch) queue.restart(sameProducer);
      queue.admitted = false;
      this.#offer(queue);
    }
  }

  #offer(queue: PartitionQueue): void {
    if (this.#halted || queue.next === undefined) return;
    this.#fresh.add(queue);
    if (this.#scheduled) return;
    this.#scheduled = true;
    void this.#parts.cluster.clock.turn().then(() => {
      this.#scheduled = false;
      const fresh = [...this.#fresh];
      this.#fresh.clear();
      for (const each of fresh) this.#route(each);
      for (const channel of this.#channels.values()) void channel.drive();
    });
  }

  /** Brings a partition to its leader; looks for that first where it is not known. */
  #route(queue: PartitionQueue): void {
    if (this.#halted || queue.next === undefined) return;
    const { predecessor } = this.#parts;
    if (predecessor?.isLastComplete === false) {
      this.complete().catch((thrown: unknown) => this.#parts.onGivenUp(thrown as FlowError));
      return;
    }
    if (queue.broker === undefined || (this.#parts.admit !== undefined && !queue.admitted)) void this.#locate(queue);
    else this.#channel(queue.broker).add(queue);
  }

  #channel(broker: BrokerId): ProduceChannel {
    let channel = this.#channels.get(broker);
    if (channel === undefined) {
      const { cluster, transactionalId, version, role, timeoutMs } = this.#parts;
      channel = new ProduceChannel(broker, {
        cluster,
        transactionalId,
        version,
        role,
        timeoutMs,
        halted: () => this.#halted,
        take: (queue, pending) => this.#take(queue, pending),
        answered: (flight, result) => this.#answered(flight, result),
        unanswered: (flights, failure) => this.#unanswered(flights, failure),
        unreachable: (queue, failure) => this.#unreachable(queue, failure),
        quiet: () => this.#tellQuiet(),
      });
      this.#channels.set(broker, channel);
    }
    return channel;
  }

  #tellQuiet(): void {
    for (const channel of this.#channels.values()) if (!channel.idle) return;
    for (const resolve of this.#quiet.splice(0)) resolve();
  }

  async #locate(queue: PartitionQueue): Promise<void> {
    const { cluster, admit } = this.#parts;
    const stamp = this.#stamp;
    queue.resting = true;
    try {
      queue.broker = (await cluster.leader(queue.topic, queue.partition)).broker;
      if (admit !== undefined && !queue.admitted && !this.#halted) {
        await admit(queue.topic, queue.partition);
        queue.admitted = stamp === this.#stamp;
      }
      queue.resting = false;
      this.#offer(queue);
    } catch (thrown) {
      this.#unreachable(queue, thrown);
    }
  }

  #unreachable(queue: PartitionQueue, thrown: unknown): void {
    if (isPassing(thrown)) {
      this.#leaderLost(queue);
      void this.#rest(queue, thrown);
      return;
    }
    queue.resting = false;
    for (const pending of queue.clearWaiting()) reject(pending, thrown);
    if (endsStamp(thrown)) this.#parts.onGivenUp(thrown as FlowError);
  }

  #leaderLost(queue: PartitionQueue): void {
    queue.broker = undefined;
    this.#parts.cluster.stale({ topic: queue.topic });
  }

  /** Waits a little longer after each failure, while there is patience. */
  async #rest(queue: PartitionQueue, why: unknown): Promise<void> {
    const { clock, random, closing, pulse } = this.#parts.cluster;
    pulse.again();
    queue.resting = true;
    const longest = doubled(FIRST_REST_MS, queue.attempts++, LONGEST_REST_MS);
    await clock.sleep(longest * (0.5 + random.next() / 2), closing);
    queue.resting = false;
    const late = queue.expired(clock.monotonic());
    if (late !== undefined) this.#giveUp(queue, late, why);
    this.#offer(queue);
  }

  #giveUp(queue: PartitionQueue, late: Pending, why: unknown): void {
    const failure = new FlowError(
      'log.timeout',
      `no answer to an append to ${queue.name} within ${this.#parts.cluster.patienceMs} ms; the last: ` +
        `${messageOf(why)}; whether it was taken is not known; check that the brokers of the topic are up`,
      { cause: why },
    );
    queue.refused(late);
    reject(late, failure);
    this.#parts.onGivenUp(failure);
  }

  #take(queue: PartitionQueue, pending: Pending): void {
    if (!queue.take(pending)) return;
    const { batch, sequence: baseSequence } = pending;
    stampPosition(batch, 0, 0);
    writeInt32(batch, LEADER_EPOCH_AT, -1);
    stampProducer(batch, 0, { ...this.#stamp, baseSequence, transactional: this.#parts.transactionalId !== undefined });
  }

  #unanswered(flights: readonly Flight[], failure: unknown): void {
    if (flights.length > 0) this.#parts.onUnsure?.();
    for (const { queue, pending } of flights) {
      if (pending.done) recycle(pending.batch);
      else if (isPassing(failure)) this.#again(queue, pending, failure, true);
      else {
        queue.refused(pending);
        reject(pending, failure);
      }
    }
  }

  #answered({ queue, pending }: Flight, { code, base, message }: ProduceResult): void {
    if (pending.done) {
      recycle(pending.batch);
      return;
    }
    if (code === 0) {
      this.#parts.predecessor?.accepted();
      queue.taken(pending);
      pending.done = true;
      recycle(pending.batch);
      pending.resolve(base);
      this.#settle(queue);
      return;
    }
    const isGap = code === OUT_OF_ORDER_SEQUENCE || code === UNKNOWN_PRODUCER;
    if (isGap && (pending.sequence < 0 || queue.hasEarlier(pending))) {
      this.#again(queue, pending, new Stale('an earlier batch was not taken yet', false), false);
      return;
    }
    const failure =
      isGap || code === DUPLICATE_SEQUENCE
        ? forgotten(queue, code)
        : code === CORRUPT
          ? damage(queue, pending)
          : failureOf(code, this.#named(queue), message);
    if (failure instanceof Stale) this.#again(queue, pending, failure, failure.refresh);
    else void this.#refused(queue, pending, failure);
  }

  #named({ name }: PartitionQueue): string {
    const { transactionalId } = this.#parts;
    return transactionalId === undefined ? `append to ${name}` : `append to ${name} by ${transactionalId}`;
  }

  /** The broker will never take it. */
  async #refused(queue: PartitionQueue, pending: Pending, failure: FlowError): Promise<void> {
    queue.refused(pending);
    pending.done = true;
    if (endsStamp(failure)) {
      pending.reject(failure);
      this.#parts.onGivenUp(failure);
      return;
    }
    this.#settle(queue);
    pending.reject(failure.code === 'log.oversize' ? await this.#oversize(queue, pending, failure) : failure);
  }

  async #oversize(queue: PartitionQueue, { batch }: Pending, failure: FlowError): Promise<FlowError> {
    const limit = await this.#parts.limitOf(queue.topic).catch(() => undefined);
    if (limit === undefined) return failure;
    return new FlowError(
      'log.oversize',
      `a batch of ${batch.length} bytes for ${queue.name} is over the topic's limit of ${limit}; ` +
        'raise max.message.bytes, or write smaller batches',
      { cause: failure },
    );
  }

  #again(queue: PartitionQueue, pending: Pending, why: unknown, refresh: boolean): void {
    queue.failed(pending);
    if (refresh) this.#leaderLost(queue);
    this.#settle(queue, why);
  }

  /** After an answer: what failed is sent again once nothing is under way; else what waits may go. */
  #settle(queue: PartitionQueue, why?: unknown): void {
    if (queue.toMend) {
      queue.mend();
      void this.#rest(queue, why);
    } else this.#offer(queue);
  }
}

function reject(pending: Pending, failure: unknown): void {
  pending.done = true;
  pending.reject(failure);
}

/** The broker has forgotten this producer, or what it took of it: nothing can be told of the batch. */
function forgotten(queue: PartitionQueue, code: number): FlowError {
  const why =
    code === DUPLICATE_SEQUENCE
      ? 'it was taken before, and its position is forgotten'
      : 'what was written before it is missing';
  return new FlowError(
    'log.aborted',
    `the broker refuses an append to ${queue.name} (${code}): ${why}; it is written again`,
  );
}

/** The broker found a batch damaged: it came to us so, or was damaged on its way and is sent again. */
function damage({ topic, partition }: PartitionQueue, { batch }: Pending): Stale | FlowError {
  try {
    checkBatch(batch, 0, batch.length, { topic, partition });
  } catch (thrown) {
    if (thrown instanceof FlowError) return thrown;
    throw thrown;
  }
  return new Stale('the batch was damaged on its way to the broker', false, CORRUPT);
}

function isPassing(thrown: unknown): boolean {
  return thrown instanceof Stale || (thrown instanceof FlowError && thrown.code === 'log.timeout');
}

/** Nothing more can be written under the stamp. */
function endsStamp(thrown: unknown): boolean {
  return thrown instanceof FlowError && (thrown.code === 'log.fenced' || thrown.code === 'log.aborted');
}
