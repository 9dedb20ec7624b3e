import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import {
  BATCH_HEADER_BYTES,
  basePosition,
  batchLength,
  checkBatch,
  corrupt,
  isControl,
  recordCount,
} from '../batch-header.ts';
import type { Members } from '../clients/members.ts';
import type { CommittedPosition, GroupIdentity, LogProducer, ProducerOptions } from '../log.ts';
import { Appender, type Stamp } from './appender.ts';
import { ask } from './ask.ts';
import type { Cluster } from './cluster.ts';
import { failureOf, Stale } from './error-codes.ts';
import { storePositions } from './group-positions.ts';
import { sendMemberPositions } from './member-positions.ts';
import { DEFAULT_TRANSACTION_TIMEOUT_MS } from './options.ts';
import { PRODUCE_ADDING_VERSION, PRODUCE_PLAIN_VERSION } from './produce-codec.ts';
import { retry } from './retry.ts';
import { CLOSING_MS, Transaction } from './transaction.ts';
import { initProducerId } from './transaction-requests.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const SHORTEST_REQUEST_MS = 1000;
/** Requests are sent again so often before a transaction is too old. */
const REQUESTS_IN_TRANSACTION = 3;
const MOST_METADATA_BYTES = 4096;

export interface ProducerParts {
  readonly cluster: Cluster;
  readonly members: Members;
  /** The largest batch that a topic takes. */
  limitOf(topic: string): Promise<number | undefined>;
  /** Fails with `log.closed` once the log is closed. */
  check(): void;
}

/** Opens a producer; with a transactional id it fences its predecessor. */
export async function openProducer(parts: ProducerParts, options: ProducerOptions): Promise<LogProducer> {
  const { cluster, members } = parts;
  const { transactionalId, transactionTimeoutMs, writes } = options;
  if (transactionalId === undefined) return new PlainProducer(parts, await plainStamp(cluster));
  const timeoutMs = transactionTimeoutMs ?? DEFAULT_TRANSACTION_TIMEOUT_MS;
  const transaction = await Transaction.open({ cluster, members, transactionalId, timeoutMs, writes });
  return new TransactionalProducer(parts, transactionalId, timeoutMs, transaction);
}

/** A producer id of nobody in particular: any broker gives one. */
async function plainStamp(cluster: Cluster): Promise<Stamp> {
  const what = 'a producer id';
  return retry(cluster, what, async () => {
    const [broker] = await cluster.brokers();
    if (broker === undefined) throw new Stale('no broker is known', true);
    const answer = await ask(cluster, broker, 'transactions', initProducerId(undefined, 0));
    if (answer.errorCode !== 0) throw failureOf(answer.errorCode, what);
    return answer;
  });
}

/** Writes outside of transactions: each batch once, as long as the log answers within patience. */
class PlainProducer implements LogProducer {
  readonly #parts: ProducerParts;
  readonly #appender: Appender;
  #closed = false;
  #renewing = false;

  constructor(parts: ProducerParts, stamp: Stamp) {
    this.#parts = parts;
    this.#appender = new Appender(
      {
        cluster: parts.cluster,
        transactionalId: undefined,
        version: PRODUCE_PLAIN_VERSION,
        role: 'produce',
        timeoutMs: Math.min(REQUEST_TIMEOUT_MS, parts.cluster.patienceMs),
        limitOf: parts.limitOf,
        onGivenUp: () => void this.#renew(),
      },
      stamp,
    );
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    this.#parts.check();
    if (this.#closed) throw closed('without a transactional id');
    checkAppend(topic, partition, batch);
    return this.#appender.append(topic, partition, batch);
  }

  begin(): void {
    throw misuse('begin needs a producer with a transactionalId');
  }

  async sendPositions(
    member: GroupIdentity,
    positions: readonly (TopicPartition & CommittedPosition)[],
  ): Promise<void> {
    this.#parts.check();
    if (this.#closed) throw closed('without a transactional id');
    checkMetadata(positions);
    await sendMemberPositions(this.#parts, member, positions, `positions of group ${member.group}`, (broker, asked) =>
      ask(this.#parts.cluster, broker, 'control', storePositions(asked, positions)),
    );
  }

  async commit(): Promise<void> {
    throw misuse('commit needs a producer with a transactionalId');
  }

  async abort(): Promise<void> {
    throw misuse('abort needs a producer with a transactionalId');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#appender.fail(closed('without a transactional id'));
  }

  /** A batch was given up, so its sequence is missing: what comes after is written under a new producer id. */
  async #renew(): Promise<void> {
    if (this.#renewing || this.#closed) return;
    this.#renewing = true;
    try {
      await this.#appender.halt();
      const stamp = await plainStamp(this.#parts.cluster);
      this.#appender.restart(stamp);
    } catch (thrown) {
      this.#appender.fail(thrown);
      this.#closed = true;
    } finally {
      this.#renewing = false;
    }
  }
}

class TransactionalProducer implements LogProducer {
  readonly #parts: ProducerParts;
  readonly #name: string;
  readonly #transaction: Transaction;
  readonly #appender: Appender;
  /** `failed`: the outcome of a request is unknown, or the log has aborted; only `abort` and `close` may follow. */
  #state: 'idle' | 'open' | 'failed' | 'closed' = 'idle';
  /** A newer producer has the transactional id. */
  #fence: FlowError | undefined;
  #unanswered = 0;

  constructor(parts: ProducerParts, name: string, timeoutMs: Millis, transaction: Transaction) {
    this.#parts = parts;
    this.#name = name;
    this.#transaction = transaction;
    const repaired = transaction.protocol === 'repaired';
    this.#appender = new Appender(
      {
        cluster: parts.cluster,
        transactionalId: name,
        version: repaired ? PRODUCE_ADDING_VERSION : PRODUCE_PLAIN_VERSION,
        role: `produce ${name}`,
        timeoutMs: requestTimeoutMs(parts.cluster.patienceMs, timeoutMs),
        limitOf: parts.limitOf,
        ...(repaired ? {} : { admit: (topic: string, partition: number) => transaction.admit(topic, partition) }),
        predecessor: transaction,
        onUnsure: () => transaction.unsure(),
        onGivenUp: (failure) => {
          this.#failed(failure);
          this.#appender.fail(failure);
        },
      },
      transaction.stamp,
    );
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    this.#checkOpen();
    checkAppend(topic, partition, batch);
    this.#transaction.touch();
    this.#unanswered++;
    try {
      return await this.#appender.append(topic, partition, batch);
    } finally {
      this.#unanswered--;
    }
  }

  begin(): void {
    this.#check();
    if (this.#state === 'failed') throw this.#voided();
    if (this.#state === 'open') throw misuse(`producer ${this.#name} has begun a transaction already`);
    this.#state = 'open';
  }

  async sendPositions(
    member: GroupIdentity,
    positions: readonly (TopicPartition & CommittedPosition)[],
  ): Promise<void> {
    this.#checkOpen();
    checkMetadata(positions);
    if (positions.length === 0) return;
    await this.#watched(() => this.#transaction.sendPositions(member, positions, () => this.#appender.complete()));
  }

  async commit(): Promise<void> {
    this.#checkOpen();
    if (this.#unanswered > 0) throw misuse(`${this.#unanswered} appends were not awaited before the commit`);
    await this.#watched(() => this.#transaction.end(true));
    this.#next();
  }

  async abort(): Promise<void> {
    this.#check();
    if (this.#state === 'idle') throw misuse(`producer ${this.#name} has no transaction to abort`);
    this.#appender.fail(new FlowError('log.aborted', `the transaction of ${this.#name} was aborted`));
    if (this.#unanswered > 0) this.#transaction.unsure();
    await this.#appender.completed();
    const failed = this.#state === 'failed';
    if (this.#transaction.protocol === 'old') await this.#appender.halt();
    // Of a failed transaction the end is not known; a new epoch decides it, whatever it is.
    await this.#watched(() => (failed ? this.#transaction.renew() : this.#transaction.end(false)));
    this.#next();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const open = this.#state !== 'idle' && this.#fence === undefined;
    this.#state = 'closed';
    this.#appender.fail(closed(this.#name));
    if (this.#fence !== undefined || !(await this.#isLastComplete())) return;
    if (open) await this.#transaction.giveUp();
  }

  /** Sees to the markers of the last transaction, if the log answers soon. */
  async #isLastComplete(): Promise<boolean> {
    const waited = new AbortController();
    const completing = this.#appender.complete().then(
      () => true,
      () => false,
    );
    const late = this.#parts.cluster.clock.sleep(CLOSING_MS, waited.signal).then(() => false);
    try {
      return await Promise.race([completing, late]);
    } finally {
      waited.abort(null);
    }
  }

  #next(): void {
    if (this.#state === 'closed') return;
    this.#state = 'idle';
    this.#appender.restart(this.#transaction.stamp);
  }

  async #watched(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      if (thrown instanceof FlowError) this.#failed(thrown);
      throw thrown;
    }
  }

  #failed(failure: FlowError): void {
    if (failure.code === 'log.fenced') this.#fence ??= failure;
    if ((failure.code === 'log.timeout' || failure.code === 'log.aborted') && this.#state === 'open') {
      this.#state = 'failed';
    }
  }

  #check(): void {
    this.#parts.check();
    if (this.#state === 'closed') throw closed(this.#name);
    if (this.#fence !== undefined) {
      throw new FlowError('log.fenced', this.#fence.message, { cause: this.#fence });
    }
  }

  #checkOpen(): void {
    this.#check();
    if (this.#state === 'failed') throw this.#voided();
    if (this.#state !== 'open') throw misuse(`producer ${this.#name} writes within transactions; call begin first`);
  }

  #voided(): FlowError {
    return new FlowError('log.aborted', `the transaction of ${this.#name} has failed; abort it first`);
  }
}

function requestTimeoutMs(patienceMs: Millis, transactionMs: Millis): Millis {
  const often = Math.max(SHORTEST_REQUEST_MS, Math.floor(transactionMs / REQUESTS_IN_TRANSACTION));
  return Math.min(REQUEST_TIMEOUT_MS, patienceMs, often);
}

/** Fails unless the bytes are one batch of data by their shape; its checksum the broker compares. */
function checkAppend(topic: string, partition: number, batch: Bytes): void {
  const where = { topic, partition };
  if (batch.length < BATCH_HEADER_BYTES || batchLength(batch, 0) !== batch.length || batch[16] !== 2) {
    checkBatch(batch, 0, batch.length, where);
  }
  if (isControl(batch, 0) || recordCount(batch, 0) <= 0) {
    throw corrupt(where, basePosition(batch, 0), 'only records of data can be appended');
  }
}

function checkMetadata(positions: readonly (TopicPartition & CommittedPosition)[]): void {
  for (const { topic, partition, metadata } of positions) {
    if (Buffer.byteLength(metadata) <= MOST_METADATA_BYTES) continue;
    throw new FlowError(
      'log.oversize',
      `metadata of the position of ${partitionName(topic, partition)} is over 4 KiB; keep less with it`,
    );
  }
}

function closed(name: string): FlowError {
  return new FlowError('log.closed', `producer ${name} was closed`);
}

function misuse(message: string): FlowError {
  return new FlowError('log.unsupported', message);
}
