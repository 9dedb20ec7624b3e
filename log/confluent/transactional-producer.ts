import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { checkMetadata, closedProducer, misuse, type Positions } from '../clients/producing.ts';
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
  #producer: LibraryProducer | undefined;
  /** The library's own begin, which is not heard of before. */
  #begun: Promise<void> = Promise.resolve();
  /** `failed`: the outcome of a request is unknown, or the log has aborted; only `abort` and `close` may follow. */
  #state: 'idle' | 'open' | 'failed' | 'closed' = 'idle';
  /** A newer producer has the transactional id. */
  #fence: FlowError | undefined;
  #unanswered = 0;

  private constructor(parts: ProducerParts, id: string, timeoutMs: Millis) {
    this.#parts = parts;
    this.#id = id;
    this.#timeoutMs = Math.max(SHORTEST_TRANSACTION_MS, timeoutMs);
    this.#appends = new Appends(parts);
  }

  /** Takes the transactional id over: who had it before is fenced, and its open transaction aborted. */
  static async open(parts: ProducerParts, id: string, timeoutMs: Millis): Promise<TransactionalProducer> {
    const producer = new TransactionalProducer(parts, id, timeoutMs);
    await producer.#initialise();
    return producer;
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    this.#checkOpen();
    this.#unanswered++;
    try {
      return await this.#watched(() =>
        this.#appends.append(topic, partition, batch, async () => {
          await this.#begun;
          return this.#producer!;
        }),
      );
    } finally {
      this.#unanswered--;
    }
  }

  begin(): void {
    this.#check();
    if (this.#state === 'failed') throw this.#voided();
    if (this.#state === 'open') throw misuse(`producer ${this.#id} has begun a transaction already`);
    this.#state = 'open';
    this.#begun = this.#ask('the begin of a transaction', (producer) => (_, done) => producer.beginTransaction(done));
    this.#begun.catch(() => undefined);
  }

  async sendPositions(member: GroupIdentity, positions: Positions): Promise<void> {
    this.#checkOpen();
    checkMetadata(positions);
    if (positions.length === 0) return;
    await this.#watched(async () => {
      const { consumer } = this.#parts.members.holder(member);
      await this.#begun;
      await this.#ask(
        `positions of group ${member.group}`,
        (producer) => (ms, done) => producer.sendOffsetsToTransaction(placed(positions), consumer, ms, done),
      );
    });
  }

  async commit(): Promise<void> {
    this.#checkOpen();
    if (this.#unanswered > 0) throw misuse(`${this.#unanswered} appends were not awaited before the commit`);
    await this.#watched(async () => {
      await this.#begun;
      await this.#ask('the commit', (producer) => (ms, done) => producer.commitTransaction(ms, done));
    });
    if (this.#state === 'open') this.#state = 'idle';
  }

  async abort(): Promise<void> {
    this.#check();
    if (this.#state === 'idle') throw misuse(`producer ${this.#id} has no transaction to abort`);
    await this.#watched(async () => {
      await this.#begun.catch(() => undefined);
      try {
        await this.#ask('the abort', (producer) => (ms, done) => producer.abortTransaction(ms, done));
      } catch (thrown) {
        if (this.#state !== 'failed' || (thrown as FlowError).code === 'log.fenced') throw thrown;
        // Of a commit whose outcome is not known the library can only end by being opened anew.
        await this.#disconnect();
        await this.#initialise();
      }
    });
    if (this.#state !== 'closed') this.#state = 'idle';
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const open = this.#state !== 'idle' && this.#fence === undefined;
    this.#state = 'closed';
    if (open) {
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
        if (!again) throw finalFailure(thrown, `${what} by ${this.#id}`);
        await clock.sleep(backOffMs(tries, random), closing);
      }
    }
  }

  async #disconnect(): Promise<void> {
    const producer = this.#producer;
    if (producer?.isConnected()) await call<unknown>((done) => producer.disconnect(done)).catch(() => undefined);
  }

  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof FlowError) {
        if (thrown.code === 'log.fenced') this.#fence ??= thrown;
        const unknown = thrown.code === 'log.timeout' || thrown.code === 'log.aborted';
        if (unknown && this.#state === 'open') this.#state = 'failed';
      }
      throw thrown;
    }
  }

  #check(): void {
    this.#parts.shared.check();
    if (this.#state === 'closed') throw closedProducer(this.#id);
    if (this.#fence !== undefined) throw new FlowError('log.fenced', this.#fence.message, { cause: this.#fence });
  }

  #checkOpen(): void {
    this.#check();
    if (this.#state === 'failed') throw this.#voided();
    if (this.#state !== 'open') throw misuse(`producer ${this.#id} writes within transactions; call begin first`);
  }

  #voided(): FlowError {
    return new FlowError('log.aborted', `the transaction of ${this.#id} has failed; abort it first`);
  }
}
