import type { Clock } from './clock.ts';
import type { Millis } from './ids.ts';

/**
 * The longest that a waiter waits who waits again and again, and is mostly told before. It has one timer, which stays
 * set when a wait ends: the next deadline takes it over, as long as it is not an earlier one. So a wait seldom sets a
 * timer, and a timer that fires too early is set again for the rest.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #keepsAlive: boolean;
  /** By the monotonic clock, as long as somebody waits. */
  #dueAt: number | undefined;
  #firesAt = 0;
  #cancel: (() => void) | undefined;

  /** `onDue` is called at each deadline that is reached. The timer keeps the process alive only where it is said to. */
  constructor(clock: Clock, onDue: () => void, keepsAlive = false) {
    this.#clock = clock;
    this.#onDue = onDue;
    this.#keepsAlive = keepsAlive;
  }

  /** Is due after `ms`, in place of any deadline before. */
  set(ms: Millis): void {
    const dueAt = this.#clock.monotonic() + ms;
    this.#dueAt = dueAt;
    if (this.#cancel === undefined || dueAt < this.#firesAt) this.#start(dueAt, ms);
  }

  /** Nobody waits any more. The timer may stay set, and keep the process alive, until the time that it has. */
  clear(): void {
    this.#dueAt = undefined;
  }

  /** Nobody waits any more, and nobody soon will: the timer goes too. */
  close(): void {
    this.#dueAt = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #start(dueAt: number, ms: Millis): void {
    this.#cancel?.();
    this.#firesAt = dueAt;
    this.#cancel = this.#clock.after(ms, this.#fire, this.#keepsAlive);
  }

  readonly #fire = (): void => {
    this.#cancel = undefined;
    const dueAt = this.#dueAt;
    if (dueAt === undefined) return;
    const left = dueAt - this.#clock.monotonic();
    if (left > 0) this.#start(dueAt, left);
    else {
      this.#dueAt = undefined;
      this.#onDue();
    }
  };
}
