import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Marker } from '../control.ts';
import type { ProducerOptions } from '../log.ts';
import type { Faults } from './faults.ts';
import type { News } from './news.ts';
import { GroupPositions } from './positions.ts';
import { Transaction } from './transaction.ts';

const DEFAULT_TIMEOUT_MS: Millis = 10_000;

/** One producer as the log knows it. */
export interface ProducerSession {
  readonly name: string;
  readonly transactional: boolean;
  readonly producerId: number;
  readonly epoch: number;
  readonly timeoutMs: Millis;
  fenced: boolean;
  open: Transaction | undefined;
  /** The one before, whose markers may still be on their way. */
  last: Transaction | undefined;
  readonly sequences: Map<string, number>;
}

/** Producers, their transactions, and the positions of groups: what a coordinator of Kafka does. */
export class Transactions {
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #news: News;
  readonly #sessions = new Map<string, ProducerSession>();
  readonly #groups = new Map<string, GroupPositions>();
  #producers = 0;

  constructor(clock: Clock, faults: Faults, news: News) {
    this.#clock = clock;
    this.#faults = faults;
    this.#news = news;
  }

  open(options: ProducerOptions): ProducerSession {
    const id = options.transactionalId;
    const before = id === undefined ? undefined : this.#sessions.get(id);
    if (before !== undefined) this.#fence(before);
    const producerId = before?.producerId ?? ++this.#producers;
    const session: ProducerSession = {
      name: id ?? `producer-${producerId}`,
      transactional: id !== undefined,
      producerId,
      epoch: (before?.epoch ?? -1) + 1,
      timeoutMs: options.transactionTimeoutMs ?? DEFAULT_TIMEOUT_MS,
      fenced: false,
      open: undefined,
      last: undefined,
      sequences: new Map(),
    };
    if (id !== undefined) this.#sessions.set(id, session);
    return session;
  }

  check(session: ProducerSession): void {
    if (!session.fenced) return;
    throw new FlowError(
      'log.fenced',
      `producer ${session.name} was fenced: a newer one has its id, or its transaction was open for too long`,
    );
  }

  /** The open transaction, begun in the log by what is written now. */
  current(session: ProducerSession): Transaction {
    this.check(session);
    if (session.open !== undefined) return session.open;
    // A coordinator takes nothing new before the markers of the last one are written.
    if (session.last !== undefined) this.#settle(session.last);
    const transaction = new Transaction(session.producerId, session.epoch);
    transaction.stopTimer = this.#clock.after(session.timeoutMs, () => this.#fence(session));
    session.open = transaction;
    return transaction;
  }

  decide(session: ProducerSession, marker: Marker): void {
    this.check(session);
    const transaction = session.open;
    if (transaction === undefined) return;
    session.open = undefined;
    session.last = transaction;
    transaction.decide(marker);
    this.#settleLater(transaction, 'late-markers', () => transaction.writeMarkers(this.#clock.now()));
    this.#settleLater(transaction, 'unstable-positions', () => transaction.settlePositions());
  }

  group(name: string): GroupPositions {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new GroupPositions();
      this.#groups.set(name, group);
    }
    return group;
  }

  groupNames(): readonly string[] {
    return [...this.#groups.keys()];
  }

  forgetGroup(name: string): void {
    this.#groups.delete(name);
  }

  forgetTopic(topic: string): void {
    for (const group of this.#groups.values()) group.forgetTopic(topic);
  }

  /** The next sequence number of a producer in a partition, as Kafka counts them. */
  sequence(session: ProducerSession, partition: string, records: number): number {
    const sequence = session.sequences.get(partition) ?? 0;
    session.sequences.set(partition, (sequence + records) % 2 ** 31);
    return sequence;
  }

  /** Stops the timers of what is still open. */
  close(): void {
    for (const session of this.#sessions.values()) session.open?.stopTimer();
  }

  #fence(session: ProducerSession): void {
    if (!session.fenced && session.open !== undefined) this.decide(session, 'abort');
    session.fenced = true;
    if (session.last !== undefined) this.#settle(session.last);
  }

  #settleLater(transaction: Transaction, fault: 'late-markers' | 'unstable-positions', settle: () => void): void {
    const done = () => {
      settle();
      this.#news.tell();
    };
    const request = transaction.outcome === 'commit' ? 'commit' : 'abort';
    if (this.#faults.strikes(fault, request)) this.#clock.after(this.#faults.lateMs, done);
    else done();
  }

  #settle(transaction: Transaction): void {
    transaction.writeMarkers(this.#clock.now());
    transaction.settlePositions();
    this.#news.tell();
  }
}
