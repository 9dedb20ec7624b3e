import { FlowError } from '../../core/errors.ts';
import { closedProducer, misuse } from './producing.ts';

/**
 * What a transactional producer may do next, by what it has done and what the log has said to it. The calls that are
 * refused here are those that the contract of `LogProducer` refuses.
 */
export class TransactionState {
  readonly #id: string;
  readonly #checkLog: () => void;
  /** `failed`: the outcome of a request is unknown, or the log has aborted; only `abort` and `close` may follow. */
  #now: 'idle' | 'open' | 'failed' | 'closed' = 'idle';
  /** A newer producer has the transactional id. */
  #fence: FlowError | undefined;
  #unanswered = 0;

  /** `checkLog` fails where the log was closed. */
  constructor(id: string, checkLog: () => void) {
    this.#id = id;
    this.#checkLog = checkLog;
  }

  get failed(): boolean {
    return this.#now === 'failed';
  }

  get closed(): boolean {
    return this.#now === 'closed';
  }

  /** Appends that the log has not answered. */
  get unanswered(): number {
    return this.#unanswered;
  }

  begin(): void {
    this.#check();
    if (this.#now === 'failed') throw this.#voided();
    if (this.#now === 'open') throw misuse(`producer ${this.#id} has begun a transaction already`);
    this.#now = 'open';
  }

  checkOpen(): void {
    this.#check();
    if (this.#now === 'failed') throw this.#voided();
    if (this.#now !== 'open') throw misuse(`producer ${this.#id} writes within transactions; call begin first`);
  }

  checkCommit(): void {
    this.checkOpen();
    if (this.#unanswered > 0) throw misuse(`${this.#unanswered} appends were not awaited before the commit`);
  }

  checkAbort(): void {
    this.#check();
    if (this.#now === 'idle') throw misuse(`producer ${this.#id} has no transaction to abort`);
  }

  /** The transaction was committed or aborted. */
  ended(): void {
    if (this.#now !== 'closed') this.#now = 'idle';
  }

  /** Answers whether a transaction is open that is still this producer's to end. */
  close(): boolean {
    const open = (this.#now === 'open' || this.#now === 'failed') && this.#fence === undefined;
    this.#now = 'closed';
    return open;
  }

  async appending<T>(append: () => Promise<T>): Promise<T> {
    this.checkOpen();
    this.#unanswered++;
    try {
      return await this.watched(append);
    } finally {
      this.#unanswered--;
    }
  }

  /** Takes note of what a request's failure says of the transaction and its producer. */
  async watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof FlowError) {
        if (thrown.code === 'log.fenced') this.#fence ??= thrown;
        const unknown = thrown.code === 'log.timeout' || thrown.code === 'log.aborted';
        if (unknown && this.#now === 'open') this.#now = 'failed';
      }
      throw thrown;
    }
  }

  #check(): void {
    this.#checkLog();
    if (this.#now === 'closed') throw closedProducer(this.#id);
    if (this.#fence !== undefined) throw new FlowError('log.fenced', this.#fence.message, { cause: this.#fence });
  }

  #voided(): FlowError {
    return new FlowError('log.aborted', `the transaction of ${this.#id} has failed; abort it first`);
  }
}
