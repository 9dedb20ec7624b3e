import type { Millis } from '../core/ids.ts';
import { type KeptNumber, NO_ALARM, type ResumableScan } from '../operators/operators.ts';

interface Timer {
  /** Of its node in the plan. */
  readonly place: number;
  /** Undefined: it fires once, and whoever set it sets it anew. */
  readonly intervalMs: Millis | undefined;
  readonly time: 'stream' | 'wall';
  readonly fire: (at: Millis, due: Millis) => void;
  /** When it fires next; undone, committed and restored like every other number. */
  readonly next: KeptNumber;
}

/**
 * Punctuations of one task, fired between records as a scan: each firing is a step of its own. Of several that are due
 * the one comes first that was due first, then that of the first node in the plan, then the one that was made first.
 *
 * Stream-time ones fire on the first record, then when stream time passes the next multiple of the interval; a jump
 * fires once. Wall-clock ones fire first one interval after they were registered, then at its multiples from there; late
 * ones fire once.
 * (Kafka Streams, processor/internals/PunctuationSchedule.java.)
 */
export class Timers implements ResumableScan {
  /** In the order of the plan. */
  readonly #timers: Timer[] = [];
  /** Stream time of the task, or the clock of its stage. */
  readonly #time: KeptNumber;
  #nextDue = Number.POSITIVE_INFINITY;
  #wallNow: Millis = Number.NEGATIVE_INFINITY;

  constructor(time: KeptNumber) {
    this.#time = time;
  }

  add(timer: Timer): void {
    const behind = this.#timers.findIndex(({ place }) => place > timer.place);
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, timer);
    this.#findNext();
  }

  /** Records before this time make nothing due. */
  get nextDue(): Millis {
    return this.#nextDue;
  }

  /** One comparison a record. */
  due(): boolean {
    return this.#time.value >= this.#nextDue;
  }

  /** When the next one is due that waits for the wall clock. */
  get nextWall(): Millis {
    let next = Number.POSITIVE_INFINITY;
    for (const timer of this.#timers) if (timer.time === 'wall') next = Math.min(next, timer.next.value);
    return next;
  }

  /** Takes the wall clock; answers whether a timer waits for it. */
  wallDue(now: Millis): boolean {
    this.#wallNow = now;
    return this.#timers.some((timer) => timer.time === 'wall' && now >= timer.next.value);
  }

  advance(): boolean {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (this.#nowOf(timer) < timer.next.value) continue;
      // Before the first record there is no stream time.
      if (timer.time === 'stream' && this.#time.value < 0) continue;
      if (first === undefined || timer.next.value < first.next.value) first = timer;
    }
    if (first === undefined) {
      this.#findNext();
      return false;
    }
    const now = this.#nowOf(first);
    const due = first.next.value;
    first.next.set(nextFiring(first, now));
    first.fire(now, due);
    return true;
  }

  #nowOf({ time }: Timer): Millis {
    return time === 'stream' ? this.#time.value : this.#wallNow;
  }

  #findNext(): void {
    this.#nextDue = Number.POSITIVE_INFINITY;
    for (const timer of this.#timers) {
      if (timer.time === 'stream') this.#nextDue = Math.min(this.#nextDue, timer.next.value);
    }
  }
}

/** The first time behind now that lies whole intervals behind the one that is due; stream time counts from 0. */
function nextFiring({ next, intervalMs }: Timer, now: Millis): Millis {
  if (intervalMs === undefined) return NO_ALARM;
  const due = Math.max(0, next.value);
  return due + (Math.floor((now - due) / intervalMs) + 1) * intervalMs;
}
