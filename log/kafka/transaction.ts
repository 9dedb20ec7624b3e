import { FlowError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoints.ts';
import { type Millis, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Members } from '../clients/members.ts';
import type { CommittedPosition, GroupIdentity, TransactionWrites } from '../log.ts';
import type { Predecessor, Stamp } from './appender.ts';
import { ask, type Request } from './ask.ts';
import type { Cluster } from './cluster.ts';
import { failureOf } from './error-codes.ts';
import { hangingPartitions } from './hanging.ts';
import { sendMemberPositions, worstCode } from './member-positions.ts';
import { retry } from './retry.ts';
import {
  addPartitions,
  addPositions,
  commitPositions,
  describeTransaction,
  endTransaction,
  initProducerId,
  type Protocol,
  type TransactionalStamp,
} from './transaction-requests.ts';

export interface TransactionParts {
  readonly cluster: Cluster;
  readonly members: Members;
  readonly transactionalId: string;
  readonly timeoutMs: Millis;
  readonly writes?: TransactionWrites | undefined;
}

const INVALID_TXN_STATE = 48;
const CONCURRENT_TRANSACTIONS = 51;
const UNKNOWN_TRANSACTIONAL_ID = 105;
/** The markers of the transaction before are written within milliseconds; so often it is asked again at once. */
const SHORT_WAITS = 20;
/** No number of breaks: what was decided is looked for again. */
const NEVER = -1;
/** How long a producer that closes tries to abort. */
export const CLOSING_MS: Millis = 2000;

/**
 * What one transactional producer says to the coordinators, transaction after transaction.
 *
 * In the repaired protocol (KIP-890) Produce and the positions add themselves to the transaction, and every end gives
 * the next epoch, so that nothing late of one transaction can fall into the next. In the old one partitions and groups
 * are added first, and the epoch stays; so after a request whose outcome is unknown a new epoch is asked for.
 *
 * An end is answered before its markers are written, and a broker that is started anew may leave them out; what the next
 * transaction decides in such a partition would decide the records of this one as well: those of a commit would be lost
 * by an abort. So where a connection broke since the last end, the next transaction sends nothing before
 * {@link completeLast}.
 */
export class Transaction implements Predecessor {
  readonly protocol: Protocol;
  readonly #parts: TransactionParts;
  #stamp: Stamp;
  /** Something of the open transaction may have reached the log. */
  #touched = false;
  #openedAt = 0;
  /** A request of the open transaction has no answer: it may still arrive. */
  #unsure = false;
  /** Whether transactions were committed, by their epoch, of which it is not sure yet that all markers stand. */
  readonly #decided = new Map<number, boolean>();
  /** Breaks until the first of them was decided: with more, they are looked for. */
  #breaks = 0;
  readonly #groups = new Set<string>();
  #joining: { readonly partitions: TopicPartition[]; readonly done: Promise<void> } | undefined;

  private constructor(parts: TransactionParts, stamp: Stamp) {
    this.#parts = parts;
    this.#stamp = stamp;
    this.protocol = parts.cluster.transactionVersion >= 2 ? 'repaired' : 'old';
  }

  /** Takes the transactional id over: who had it before is fenced, and its open transaction aborted. */
  static async open(parts: TransactionParts): Promise<Transaction> {
    const transaction = new Transaction(parts, { producerId: -1, producerEpoch: -1 });
    await transaction.renew();
    return transaction;
  }

  get stamp(): TransactionalStamp {
    return { ...this.#stamp, transactionalId: this.#parts.transactionalId };
  }

  get isLastComplete(): boolean {
    return this.#decided.size === 0 || this.#breaks === this.#parts.cluster.pulse.breaks;
  }

  async completeLast(): Promise<void> {
    const { transactionalId } = this.#parts;
    const touched = this.#touched;
    while (!this.isLastComplete) {
      const { state } = await this.#coordinated(
        `the end of the last transaction of ${transactionalId}`,
        () => describeTransaction(transactionalId),
        (answer) => (answer.state.startsWith('Prepare') ? CONCURRENT_TRANSACTIONS : answer.errorCode),
      );
      // What has no answer may be taken already, or come yet, into the transaction that ends what was left open.
      if (this.protocol === 'repaired' && (state === 'Ongoing' || this.#unsure)) await this.end(false);
      else await this.#endHanging();
    }
    if (touched) this.touch();
  }

  accepted(): void {
    if (this.protocol === 'repaired' || this.isLastComplete) this.#decided.clear();
  }

  touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#openedAt = this.#parts.cluster.clock.monotonic();
  }

  unsure(): void {
    this.#unsure = true;
  }

  /** Old protocol: lets the transaction write a partition. Those asked for in one turn go in one request. */
  admit(topic: string, partition: number): Promise<void> {
    this.#joining ??= { partitions: [], done: this.#admitNext() };
    this.#joining.partitions.push({ topic, partition });
    return this.#joining.done;
  }

  async #admitNext(): Promise<void> {
    await this.#parts.cluster.clock.turn();
    const { partitions } = this.#joining!;
    this.#joining = undefined;
    const what = `adding ${names(partitions)} to the transaction of ${this.#parts.transactionalId}`;
    await this.#coordinated(what, () => addPartitions(this.stamp, partitions), worstCode);
    this.accepted();
  }

  /** `complete` is called before the log is asked to take them: see {@link completeLast}. */
  async sendPositions(
    identity: GroupIdentity,
    positions: readonly (TopicPartition & CommittedPosition)[],
    complete: () => Promise<void>,
  ): Promise<void> {
    this.touch();
    await complete();
    const { cluster, members, transactionalId } = this.#parts;
    const { group } = identity;
    if (this.protocol === 'old' && !this.#groups.has(group)) {
      const what = `adding group ${group} to the transaction of ${transactionalId}`;
      await this.#coordinated(
        what,
        () => addPositions(this.stamp, group),
        (code) => code,
      );
      this.#groups.add(group);
    }
    const what = `positions of group ${group} by ${transactionalId}`;
    await sendMemberPositions({ cluster, members }, identity, positions, what, async (broker, asked) => {
      await complete();
      return this.#unhurried(broker, commitPositions(this.protocol, this.stamp, asked, positions), worstCode);
    });
    this.accepted();
  }

  /** Decides the transaction; the stamp is that of the next one. */
  async end(commit: boolean): Promise<void> {
    if (this.#touched) {
      const { breaks } = this.#parts.cluster.pulse;
      const { producerEpoch } = this.#stamp;
      const what = `the ${commit ? 'commit' : 'abort'} of ${this.#parts.transactionalId}`;
      const { errorCode, next } = await this.#coordinated(
        what,
        () => endTransaction(this.protocol, this.stamp, commit),
        (answer) => (answer.errorCode === INVALID_TXN_STATE ? 0 : answer.errorCode),
      );
      if (errorCode === INVALID_TXN_STATE && commit) throw this.#gone(what);
      if (errorCode === 0) this.#stamp = next;
      if (this.isLastComplete) {
        this.#decided.clear();
        this.#breaks = breaks;
      }
      // In the old protocol, where nothing of this one was taken, the epoch is of the one before.
      const isKnown = this.#decided.has(producerEpoch);
      if (this.#parts.writes !== undefined && !isKnown) this.#decided.set(producerEpoch, commit);
    }
    const late = this.#unsure && this.protocol === 'old';
    this.#clear();
    if (late) await this.renew();
  }

  /**
   * Asks for a new epoch: decides whatever is open. Refused with `log.fenced` where there is a newer owner of the
   * transactional id; but the first time, this producer is the newer one.
   */
  async renew(): Promise<void> {
    const { transactionalId, timeoutMs } = this.#parts;
    // a new epoch makes the coordinator forget it
    const committedFrom = await this.#lastCommitted();
    const before = this.#stamp.producerId < 0 ? undefined : this.#stamp;
    this.#stamp = await this.#coordinated(
      `a producer id for ${transactionalId}`,
      () => initProducerId(transactionalId, timeoutMs, before),
      ({ errorCode }) => errorCode,
    );
    failpoint('kafka.producer.initialised');
    this.#clear();
    if (committedFrom === undefined) return;
    await this.#endHanging((epoch) => epoch >= committedFrom);
    await this.completeLast();
  }

  /**
   * From which epoch on records are of the last transaction of the id, where the coordinator has committed that;
   * `undefined` where nothing can have been left open, since the id is new, or where nobody says what it writes.
   */
  async #lastCommitted(): Promise<number | undefined> {
    const { transactionalId, writes } = this.#parts;
    if (writes === undefined) return undefined;
    const { errorCode, state, producerEpoch } = await this.#coordinated(
      `the state of ${transactionalId}`,
      () => describeTransaction(transactionalId),
      ({ errorCode }) => (errorCode === UNKNOWN_TRANSACTIONAL_ID ? 0 : errorCode),
    );
    if (errorCode === UNKNOWN_TRANSACTIONAL_ID) return undefined;
    if (!state.endsWith('Commit')) return Number.POSITIVE_INFINITY;
    return this.protocol === 'repaired' ? producerEpoch - 1 : producerEpoch;
  }

  /**
   * Ends what transactions of the id have left open in partitions, though their coordinator has decided them; and those
   * that this producer knows, or the last one, as they were decided, since their markers may stand in other partitions,
   * and a commit may have been answered. `isCommitted` says of epochs that this producer knows nothing of. Sure is only
   * what is looked for and not found: the markers that end it may be lost as well.
   */
  async #endHanging(isCommitted: (epoch: number) => boolean = () => false): Promise<void> {
    const { cluster, writes } = this.#parts;
    const hanging = await hangingPartitions(cluster, writes?.topics ?? [], this.#stamp.producerId);
    if (hanging.length === 0) this.#decided.clear();
    else this.#breaks = NEVER;
    for (const { epoch } of hanging) this.#decided.set(epoch, this.#decided.get(epoch) ?? isCommitted(epoch));
    for (const commit of [true, false]) {
      const partitions = hanging.filter(({ epoch }) => this.#decided.get(epoch) === commit);
      if (partitions.length > 0) await this.#endIn(partitions, commit);
    }
  }

  /** Decides what is open in partitions, and in the group, by a transaction without records. */
  async #endIn(partitions: readonly TopicPartition[], commit: boolean): Promise<void> {
    const { transactionalId, writes } = this.#parts;
    const what = `${names(partitions)}, left open by ${transactionalId}`;
    this.touch();
    await this.#coordinated(what, () => addPartitions(this.stamp, partitions), worstCode);
    const group = writes?.group;
    if (group !== undefined) {
      await this.#coordinated(
        what,
        () => addPositions(this.stamp, group),
        (code) => code,
      );
    }
    await this.end(commit);
  }

  /** Aborts what is open, if the log answers soon; else its timeout does. */
  async giveUp(): Promise<void> {
    if (!this.#touched) return;
    const request = () => endTransaction(this.protocol, this.stamp, false);
    await this.#coordinated('the abort at closing', request, ({ errorCode }) => errorCode, CLOSING_MS).catch(
      () => undefined,
    );
  }

  /** The log knows of no open transaction. */
  #gone(what: string): FlowError {
    const { cluster, timeoutMs } = this.#parts;
    if (cluster.clock.monotonic() - this.#openedAt < timeoutMs) {
      return new FlowError('log.aborted', `${what}: the broker has aborted the transaction; its work is done again`);
    }
    return new FlowError(
      'log.fenced',
      `${what}: the transaction was open for longer than ${timeoutMs} ms, so that the broker has aborted it; ` +
        'commit more often, or raise the transaction timeout',
    );
  }

  #clear(): void {
    this.#touched = false;
    this.#unsure = false;
    this.#groups.clear();
  }

  /** Asks the coordinator of the transactional id, until it answers or patience ends. */
  #coordinated<T>(
    what: string,
    request: () => Request<T>,
    codeOf: (answer: T) => number,
    patienceMs?: Millis,
  ): Promise<T> {
    const { cluster, transactionalId } = this.#parts;
    const { clock, random, closing, pulse } = cluster;
    return retry(
      { clock, random, closing, pulse, patienceMs: patienceMs ?? cluster.patienceMs },
      what,
      async () => {
        const broker = await cluster.coordinator('transaction', transactionalId);
        const answer = await this.#unhurried(broker, request(), codeOf);
        const code = codeOf(answer);
        if (code !== 0) throw failureOf(code, what);
        return answer;
      },
      { stale: () => cluster.stale({ coordinator: transactionalId }) },
    );
  }

  /** Asks again, after moments, while the transaction before is being completed. */
  async #unhurried<T>(broker: number, request: Request<T>, codeOf: (answer: T) => number): Promise<T> {
    const { cluster } = this.#parts;
    for (let waits = 0; ; waits++) {
      let answer: T;
      try {
        answer = await ask(cluster, broker, 'transactions', request);
      } catch (thrown) {
        this.#unsure = true;
        throw thrown;
      }
      if (codeOf(answer) !== CONCURRENT_TRANSACTIONS || waits === SHORT_WAITS) return answer;
      await cluster.clock.sleep(1 + waits);
    }
  }
}

function names(partitions: readonly TopicPartition[]): string {
  return partitions.map(({ topic, partition }) => partitionName(topic, partition)).join(', ');
}
