import type { Bytes } from '../../core/bytes.ts';
import { type Position, partitionName } from '../../core/ids.ts';
import type { BrokerId } from './cluster.ts';

/** A batch from its append to its answer. */
export interface Pending {
  readonly batch: Bytes;
  readonly records: number;
  /** When patience ends, on the monotonic clock. */
  readonly deadline: number;
  /** Its place in the producer's sequence of the partition; -1 until it is stamped. */
  sequence: number;
  /** It was sent before, and may have been taken. */
  again: boolean;
  /** Answered to the caller; what the broker says after is of no interest. */
  done: boolean;
  resolve(position: Position): void;
  reject(failure: unknown): void;
}

/**
 * Batches of one partition under way at once: the broker tells a repetition only among the last five of a producer. So
 * one that is sent again goes alone, or those behind it could make the broker forget that it has it.
 */
const MOST_FLYING = 5;

/**
 * The batches of one partition, in order: waiting, under way, and those to be sent again. A batch keeps its sequence
 * when it is sent again, so the broker takes it once. After a failure nothing more is sent until all that is under way
 * is answered; then what failed goes first, in order.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  /** Who leads it, as far as known. */
  broker: BrokerId | undefined;
  /** It may take part in the open transaction. */
  admitted = false;
  /** Pauses between two attempts, or looks for its leader. */
  resting = false;
  /** Attempts that failed since the last batch that was taken. */
  attempts = 0;
  readonly #waiting: Pending[] = [];
  readonly #flying: Pending[] = [];
  readonly #failed: Pending[] = [];
  /** Of the next batch to be stamped. */
  #sequence = 0;
  /** The broker has a batch of this producer: only then does it refuse a gap, and several may be under way. */
  #known = false;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.name = partitionName(topic, partition);
  }

  /** The batch that is next, if one may be sent now. */
  get next(): Pending | undefined {
    if (this.resting || this.#failed.length > 0) return undefined;
    const next = this.#waiting[0];
    const alone = !this.#known || next?.again === true || this.#flying[0]?.again === true;
    return this.#flying.length < (alone ? 1 : MOST_FLYING) ? next : undefined;
  }

  /** Something failed, and all that was under way is answered: {@link mend} puts it in order. */
  get toMend(): boolean {
    return this.#failed.length > 0 && this.#flying.length === 0;
  }

  push(pending: Pending): void {
    this.#waiting.push(pending);
  }

  /** The next batch goes out. Answers whether it must be stamped first, with its sequence. */
  take(pending: Pending): boolean {
    this.#waiting.shift();
    this.#flying.push(pending);
    if (pending.sequence >= 0) return false;
    pending.sequence = this.#sequence;
    this.#sequence = following(this.#sequence, pending.records);
    return true;
  }

  /** The broker has it. */
  taken(pending: Pending): void {
    remove(this.#flying, pending);
    this.#known = true;
    this.attempts = 0;
  }

  /** It is to be sent again. */
  failed(pending: Pending): void {
    remove(this.#flying, pending);
    pending.again = true;
    this.#failed.push(pending);
  }

  /** An earlier batch than this is not taken yet, so that the broker must find a gap before this one. */
  hasEarlier(pending: Pending): boolean {
    const at = this.#flying.indexOf(pending);
    return at > 0 || this.#failed.length > 0;
  }

  /**
   * The broker has refused it for good, and so everything behind it, whose sequences close the gap: they are stamped
   * anew.
   */
  refused(pending: Pending): void {
    remove(this.#flying, pending);
    remove(this.#waiting, pending);
    if (pending.sequence < 0) return;
    this.#sequence = pending.sequence;
    for (const each of [...this.#flying, ...this.#failed, ...this.#waiting]) each.sequence = -1;
  }

  /** Puts what failed before what waits. */
  mend(): void {
    // Failed batches come in the order of their requests' answers, which is the order in which they were sent.
    this.#waiting.unshift(...this.#failed.splice(0));
  }

  /** Begins anew under another stamp. `known` where it is of the same producer, so that the broker has batches of it. */
  restart(known: boolean): void {
    this.#sequence = 0;
    this.#known &&= known;
    for (const each of [...this.#waiting, ...this.#failed]) {
      each.sequence = -1;
      each.again = false;
    }
  }

  /** The first batch whose patience is over. */
  expired(now: number): Pending | undefined {
    return this.#waiting.find(({ deadline }) => now >= deadline);
  }

  /** Takes out everything, also what is under way. */
  clear(): readonly Pending[] {
    return [...this.#failed.splice(0), ...this.#flying.splice(0), ...this.#waiting.splice(0)];
  }

  /** Takes out what waits. */
  clearWaiting(): readonly Pending[] {
    return this.#waiting.splice(0);
  }
}

/** Sequences count records, and begin again at 0 behind the largest 32-bit number. */
function following(sequence: number, records: number): number {
  return (sequence + records) % 2 ** 31;
}

function remove(list: Pending[], pending: Pending): void {
  const at = list.indexOf(pending);
  if (at >= 0) list.splice(at, 1);
}
