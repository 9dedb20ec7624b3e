import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import { basePosition, checkBatch, corrupt, isControl, recordCount, stampProducer } from '../batch-header.ts';
import type { Marker } from '../control.ts';
import type { CommittedPosition, GroupIdentity, LogProducer } from '../log.ts';
import type { FaultRequest, Faults } from './faults.ts';
import type { Topics } from './topics.ts';
import type { ProducerSession, Transactions } from './transactions.ts';

export interface ProducerParts {
  readonly topics: Topics;
  readonly faults: Faults;
  readonly transactions: Transactions;
  checkMember(identity: GroupIdentity): void;
  /** Fails with `log.closed` once the log is closed. */
  check(): void;
  /** Something may be readable that was not. */
  tell(): void;
}

export class MemoryProducer implements LogProducer {
  readonly #parts: ProducerParts;
  readonly #session: ProducerSession;
  /** `failed`: the outcome of a request is unknown, or the log has aborted; only `abort` and `close` may follow. */
  #state: 'idle' | 'open' | 'failed' | 'closed' = 'idle';
  #unanswered = 0;
  /** Without a transaction: partitions in which a batch got lost. Behind a gap in its sequence nothing is taken. */
  readonly #gaps = new Set<string>();

  constructor(parts: ProducerParts, session: ProducerSession) {
    this.#parts = parts;
    this.#session = session;
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    this.#check(true);
    const name = partitionName(topic, partition);
    const what = `the append to ${name}`;
    if (this.#gaps.has(name)) throw new FlowError('log.timeout', `${what} was not taken: a batch before it got lost`);
    this.#unanswered++;
    let done = false;
    try {
      const appending = this.#request('append', what, () => {
        done = true;
        return this.#append(topic, partition, batch);
      });
      if (!done && !this.#session.transactional) this.#gaps.add(name);
      return await appending;
    } finally {
      this.#unanswered--;
    }
  }

  begin(): void {
    this.#check(false);
    if (!this.#session.transactional) throw misuse('begin needs a producer with a transactionalId');
    if (this.#state === 'open') throw misuse(`producer ${this.#session.name} has begun a transaction already`);
    this.#state = 'open';
  }

  async sendPositions(
    member: GroupIdentity,
    positions: readonly (TopicPartition & CommittedPosition)[],
  ): Promise<void> {
    this.#check(true);
    for (const { metadata } of positions) {
      if (Buffer.byteLength(metadata) > 4096)
        throw new FlowError('log.oversize', 'metadata of a position is over 4 KiB');
    }
    await this.#request('positions', `positions of group ${member.group}`, () => {
      this.#parts.checkMember(member);
      const { transactions } = this.#parts;
      const group = transactions.group(member.group);
      if (this.#session.transactional) transactions.current(this.#session).addPositions(group, positions);
      else for (const row of positions) group.put(row);
    });
  }

  async commit(): Promise<void> {
    this.#check(true);
    if (this.#unanswered > 0) throw misuse(`${this.#unanswered} appends were not awaited before the commit`);
    await this.#request('commit', 'the commit', () => this.#decide('commit'));
    this.#state = 'idle';
  }

  async abort(): Promise<void> {
    this.#checkFence();
    if (this.#state === 'idle') throw misuse(`producer ${this.#session.name} has no transaction to abort`);
    await this.#request('abort', 'the abort', () => this.#decide('abort'));
    this.#state = 'idle';
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (!this.#session.fenced) this.#decide('abort');
  }

  #append(topic: string, number: number, batch: Bytes): Position {
    const { topics, transactions } = this.#parts;
    const partition = topics.partition(topic, number);
    const where = { topic, partition: number };
    const limit = topics.get(topic).settings.maxMessageBytes;
    if (batch.length > limit) {
      throw new FlowError(
        'log.oversize',
        `a batch of ${batch.length} bytes for ${partition.name} is over the topic's limit of ${limit}; ` +
          'raise max.message.bytes, or write smaller batches',
      );
    }
    checkBatch(batch, 0, batch.length, where);
    if (isControl(batch, 0) || recordCount(batch, 0) === 0) {
      throw corrupt(where, basePosition(batch, 0), 'only records of data can be appended');
    }
    const transaction = this.#session.transactional ? transactions.current(this.#session) : undefined;
    const own = Buffer.from(batch);
    // The bytes were given away: who writes them twice should find out.
    batch.fill(0, 0, 17);
    stampProducer(own, 0, {
      producerId: this.#session.producerId,
      producerEpoch: this.#session.epoch,
      baseSequence: transactions.sequence(this.#session, partition.name, recordCount(own, 0)),
      transactional: transaction !== undefined,
    });
    const position = partition.append(own, transaction);
    this.#parts.tell();
    return position;
  }

  #decide(marker: Marker): void {
    this.#parts.transactions.decide(this.#session, marker);
  }

  async #request<T>(kind: FaultRequest, what: string, execute: () => T): Promise<T> {
    const { faults, transactions } = this.#parts;
    try {
      if (this.#session.open !== undefined && kind !== 'abort' && faults.strikes('abort', kind)) {
        transactions.decide(this.#session, 'abort');
        throw new FlowError('log.aborted', `the log aborted the transaction of ${this.#session.name} before ${what}`);
      }
      return await faults.request(kind, `${what} by ${this.#session.name}`, execute);
    } catch (thrown) {
      const unknown = thrown instanceof FlowError && (thrown.code === 'log.timeout' || thrown.code === 'log.aborted');
      if (unknown && this.#state === 'open') this.#state = 'failed';
      throw thrown;
    }
  }

  #checkFence(): void {
    this.#parts.check();
    if (this.#state === 'closed') throw new FlowError('log.closed', `producer ${this.#session.name} was closed`);
    this.#parts.transactions.check(this.#session);
  }

  #check(inTransaction: boolean): void {
    this.#checkFence();
    if (this.#state === 'failed') {
      throw new FlowError('log.aborted', `the transaction of ${this.#session.name} has failed; abort it first`);
    }
    if (inTransaction && this.#session.transactional && this.#state !== 'open') {
      throw misuse(`producer ${this.#session.name} writes within transactions; call begin first`);
    }
  }
}

function misuse(message: string): FlowError {
  return new FlowError('log.unsupported', message);
}
