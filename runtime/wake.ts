import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';

/** Given, since an abort without a reason makes an exception of its own. */
const NOTICED = 'noticed';

/**
 * Something a loop waits on: notified by whatever brings it work. A notice given while nobody waits is kept. A loop
 * that waits keeps the process alive.
 */
export class Wake {
  #noticed = false;
  #waiting: AbortController | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(): void {
    this.#noticed = true;
    this.#waiting?.abort(NOTICED);
  }

  /** Resolves at the next notice, in the next turn where one was kept, or after `ms`. */
  async wait(ms: Millis): Promise<void> {
    if (this.#noticed) await this.#clock.turn();
    else {
      const waiting = new AbortController();
      this.#waiting = waiting;
      await this.#clock.sleep(ms, waiting.signal);
      this.#waiting = undefined;
    }
    this.#noticed = false;
  }
}
