import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { checkMetadata, type Positions } from '../clients/producing.ts';
import { TransactionState } from '../clients/transaction-state.ts';
import { Stale } from '../kafka/error-codes.ts';
import type { GroupIdentity, LogProducer } from '../log.ts';
import { COORDINATORS } from './brokers.ts';
import { codeOf, failureOfLibrary } from './failures.ts';
import { committedPositions, type Row, topicsOf } from './group-admin.ts';
import type { LibraryProducer, LibraryTransaction } from './library.ts';
import { Appends, openLibraryProducer, type ProducerParts, unhurried } from './producer.ts';

const INVALID_TXN_STATE = 48;
/** So often positions are looked for after a commit, ever less often: two seconds in all. */
const SHOWN_WAITS = 60;

/** The library's transactions. It sends positions without a generation: only members joined here are checked. */
export class TransactionalProducer implements LogProducer {
  readonly #parts: ProducerParts;
  readonly #id: string;
  readonly #timeoutMs: Millis;
  readonly #appends: Appends;
  readonly #state: TransactionState;
  #producer: LibraryProducer;
  /** Begun with the library as soon as the one before has ended, which costs nothing there. */
  #transaction: LibraryTransaction | undefined;
  /** What the open transaction says of groups. */
  readonly #sent = new Map<string, Row[]>();

  private constructor(parts: ProducerParts, id: string, timeoutMs: Millis) {
    this.#parts = parts;
    this.#id = id;
    this.#timeoutMs = timeoutMs;
    this.#appends = new Appends(parts);
    this.#state = new TransactionState(id, () => parts.brokers.check());
    this.#producer = this.#library();
  }

  /** Takes the transactional id over: who had it before is fenced, and its open transaction aborted. */
  static async open(parts: ProducerParts, id: string, timeoutMs: Millis): Promise<TransactionalProducer> {
    const producer = new TransactionalProducer(parts, id, timeoutMs);
    try {
      await producer.#initialise();
      return producer;
    } catch (thrown) {
      await producer.close();
      throw thrown;
    }
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    const transaction = this.#transaction;
    return this.#state.appending(() => this.#appends.append(topic, partition, batch, async () => transaction!));
  }

  begin(): void {
    this.#state.begin();
  }

  async sendPositions(member: GroupIdentity, positions: Positions): Promise<void> {
    this.#state.checkOpen();
    checkMetadata(positions);
    if (positions.length === 0) return;
    const { brokers, members, shared } = this.#parts;
    const what = `positions of group ${member.group} by ${this.#id}`;
    const transaction = this.#transaction!;
    await this.#state.watched(async () => {
      if (!members.holds(member)) {
        throw new FlowError(
          'log.generation',
          `${what}: ${member.member} is no member of generation ${member.generation}; wait for the next assignment`,
        );
      }
      await brokers.ask(what, async () => {
        for (const { topic, partition } of positions) await brokers.leader(topic, partition);
      });
      const topics = topicsOf(positions);
      await this.#request(what, () =>
        unhurried(shared, () => transaction.sendOffsets({ consumerGroupId: member.group, topics })),
      );
      this.#sent.set(member.group, [...(this.#sent.get(member.group) ?? []), ...positions]);
    });
  }

  async commit(): Promise<void> {
    this.#state.checkCommit();
    await this.#state.watched(() => this.#request(`the commit of ${this.#id}`, () => this.#transaction!.commit()));
    await this.#shown();
    await this.#next();
  }

  async abort(): Promise<void> {
    this.#state.checkAbort();
    const failed = this.#state.failed || this.#state.unanswered > 0;
    const what = `the abort of ${this.#id}`;
    await this.#state.watched(async () => {
      try {
        await this.#request(what, () => this.#transaction!.abort());
      } catch (thrown) {
        if (!failed || (thrown instanceof FlowError && thrown.code === 'log.fenced')) throw thrown;
      }
      // The library's count of what it wrote is not to be trusted any more: a new epoch begins anew, and ends what is open.
      if (failed) await this.#renew();
    });
    await this.#next();
  }

  async close(): Promise<void> {
    if (this.#state.closed) return;
    if (this.#state.close()) await this.#transaction?.abort().catch(() => undefined);
    await this.#producer.disconnect().catch(() => undefined);
  }

  /**
   * The library can ask for positions only as they stand, and those of a transaction count a moment after its commit
   * was answered: whoever reads them next should find them.
   */
  async #shown(): Promise<void> {
    const { brokers, shared } = this.#parts;
    for (const [group, rows] of this.#sent) {
      for (let waits = 1; waits <= SHOWN_WAITS; waits++) {
        const found = await committedPositions(brokers, group, rows);
        if (rows.every(({ position }, i) => found[i] !== undefined && found[i].position >= position)) break;
        await shared.clock.sleep(waits);
      }
    }
  }

  #library(): LibraryProducer {
    return openLibraryProducer(this.#parts.shared, {
      transactionalId: this.#id,
      transactionTimeout: this.#timeoutMs,
    });
  }

  async #initialise(): Promise<void> {
    const { brokers } = this.#parts;
    await brokers.ask(`a producer id for transactional id ${this.#id}`, async () => {
      try {
        await this.#producer.connect();
        this.#transaction = await this.#producer.transaction();
      } catch (thrown) {
        await brokers.withoutCoordinator(thrown, this.#id, COORDINATORS.transaction);
      }
    });
  }

  async #renew(): Promise<void> {
    await this.#producer.disconnect().catch(() => undefined);
    this.#producer = this.#library();
    this.#transaction = undefined;
    await this.#initialise();
    // closed meanwhile, it has closed the one before
    if (this.#state.closed) await this.#producer.disconnect().catch(() => undefined);
  }

  async #next(): Promise<void> {
    if (this.#state.closed) return;
    this.#sent.clear();
    if (!this.#transaction!.isActive()) this.#transaction = await this.#producer.transaction();
    this.#state.ended();
  }

  async #request(what: string, request: () => Promise<void>): Promise<void> {
    try {
      await request();
    } catch (thrown) {
      if (codeOf(thrown) === INVALID_TXN_STATE) {
        throw new FlowError('log.aborted', `${what}: the broker knows of no such transaction; its work is done again`);
      }
      const failure = failureOfLibrary(thrown, what);
      if (failure instanceof Stale)
        throw new FlowError('log.timeout', `${what}: ${failure.message}`, { cause: thrown });
      throw failure;
    }
  }
}
