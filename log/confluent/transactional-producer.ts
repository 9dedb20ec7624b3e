import type { Bytes } from '../../core/bytes.ts';
import type { FlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { checkMetadata, type Positions } from '../clients/producing.ts';
import { TransactionState } from '../clients/transaction-state.ts';
import { backOffMs } from '../kafka/retry.ts';
import type { GroupIdentity, LogProducer } from '../log.ts';
import { finalFailure } from './failures.ts';
import { call, type Done, type LibraryError, type LibraryProducer } from './library.ts';
import { Appends, openLibraryProducer, type ProducerParts, placed } from './producer.ts';

/** The library takes no shorter timeout. */
const SHORTEST_TRANSACTION_MS: Millis = 1000;

/** The library's transactions: the group's generation goes with positions, and is compared by the broker. */
export class TransactionalProducer implements LogProducer {
  readonly #parts: ProducerParts;
  readonly #id: string;
  readonly #timeoutMs: Millis;
  readonly #appends: Appends;
  readonly #state: TransactionState;
  #producer: LibraryProducer | undefined;
  /** The library's own begin, which is not heard of before. */
  #begun: Promise<void> = Promise.resolve();

  private constructor(parts: ProducerParts, id: string, timeoutMs: Millis) {
    this.#parts = parts;
    this.#id = id;
    this.#timeoutMs = Math.max(SHORTEST_TRANSACTION_MS, timeoutMs);
    this.#appends = new Appends(parts);
    this.#state = new TransactionState(id, () => parts.shared.check());
  }

  /** Takes the transactional id over: who had it before is fenced, and its open transaction aborted. */
  static async open(parts: ProducerParts, id: string, timeoutMs: Millis): Promise<TransactionalProducer> {
    const producer = new TransactionalProducer(parts, id, timeoutMs);
    try {
      await producer.#initialise();
    } catch (thrown) {
      await producer.#disconnect();
      throw thrown;
    }
    return producer;
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    return this.#state.appending(() =>
      this.#appends.append(topic, partition, batch, async () => {
        await this.#begun;
        return this.#producer!;
      }),
    );
  }

  begin(): void {
    this.#state.begin();
    this.#begun = this.#ask('the begin of a transaction', (producer) => (_, done) => producer.beginTransaction(done));
    this.#begun.catch(() => undefined);
  }

  async sendPositions(member: GroupIdentity, positions: Positions): Promise<void> {
    this.#state.checkOpen();
    checkMetadata(positions);
    if (positions.length === 0) return;
    await this.#state.watched(async () => {
      const { consumer } = this.#parts.members.holder(member);
      await this.#begun;
      await this.#ask(
        `positions of group ${member.group}`,
        (producer) => (ms, done) => producer.sendOffsetsToTransaction(placed(positions), consumer, ms, done),
      );
    });
  }

  async commit(): Promise<void> {
    this.#state.checkCommit();
    await this.#state.watched(async () => {
      await this.#begun;
      await this.#ask('the commit', (producer) => (ms, done) => producer.commitTransaction(ms, done));
    });
    this.#state.ended();
  }

  async abort(): Promise<void> {
    this.#state.checkAbort();
    await this.#state.watched(async () => {
      await this.#begun.catch(() => undefined);
      try {
        await this.#ask('the abort', (producer) => (ms, done) => producer.abortTransaction(ms, done));
      } catch (thrown) {
        if (!this.#state.failed || (thrown as FlowError).code === 'log.fenced') throw thrown;
        // Of a commit whose outcome is not known the library can only end by being opened anew.
        await this.#disconnect();
        await this.#initialise();
      }
    });
    this.#state.ended();
  }

  async close(): Promise<void> {
    if (this.#state.closed) return;
    if (this.#state.close()) {
      await this.#begun.catch(() => undefined);
      await this.#ask('the abort at closing', (producer) => (ms, done) => producer.abortTransaction(ms, done)).catch(
        () => undefined,
      );
    }
    await this.#disconnect();
  }

  async #initialise(): Promise<void> {
    this.#producer = await openLibraryProducer(this.#parts.shared, {
      'transactional.id': this.#id,
      'transaction.timeout.ms': this.#timeoutMs,
      // the library wants it to be no longer than a transaction
      'message.timeout.ms': Math.min(this.#timeoutMs, this.#parts.shared.patienceMs),
    });
    await this.#ask('a producer id', (producer) => (ms, done) => producer.initTransactions(ms, done));
  }

  /** Calls the library until it answers: what it calls retriable is to be called again. */
  async #ask(what: string, request: (producer: LibraryProducer) => (ms: Millis, done: Done) => void): Promise<void> {
    const { clock, random, patienceMs, closing } = this.#parts.shared;
    const deadline = clock.monotonic() + patienceMs;
    for (let tries = 0; ; tries++) {
      const left = Math.max(1, Math.ceil(deadline - clock.monotonic()));
      try {
        await call<void>((done) => request(this.#producer!)(left, done));
        return;
      } catch (thrown) {
        const again = (thrown as LibraryError).isRetriable && clock.monotonic() < deadline && !closing.aborted;
        if (!again) throw finalFailure(thrown, `${what} by transactional id ${this.#id}`);
        await clock.sleep(backOffMs(tries, random), closing);
      }
    }
  }

  async #disconnect(): Promise<void> {
    const producer = this.#producer;
    if (producer?.isConnected()) await call<unknown>((done) => producer.disconnect(done)).catch(() => undefined);
  }
}
