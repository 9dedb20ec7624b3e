import type { Clock } from '../core/clock.ts';
import { Deadline } from '../core/deadline.ts';
import type { Millis } from '../core/ids.ts';

/**
 * Something a loop waits on: notified by whatever brings it work. A notice given while nobody waits is kept. A loop
 * that waits keeps the process alive, and so may one that has waited, until it closes what it waited on.
 */
export class Wake {
  #noticed = false;
  #goOn: (() => void) | undefined;
  readonly #clock: Clock;
  readonly #deadline: Deadline;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#deadline = new Deadline(clock, () => this.#goOn?.(), true);
  }

  notify(): void {
    this.#noticed = true;
    this.#goOn?.();
  }

  /** Resolves at the next notice, in the next turn where one was kept, or after `ms`. */
  async wait(ms: Millis): Promise<void> {
    if (this.#noticed) await this.#clock.turn();
    else await this.#noticeOr(ms);
    this.#deadline.clear();
    this.#goOn = undefined;
    this.#noticed = false;
  }

  /** The loop is over. Notices that still come are of no use, and do no harm. */
  close(): void {
    this.#deadline.close();
  }

  #noticeOr(ms: Millis): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
      this.#deadline.set(ms);
    });
  }
}
