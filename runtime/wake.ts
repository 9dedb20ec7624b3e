import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';

/**
 * Something a loop waits on: notified by whatever brings it work. A notice given while nobody waits is kept. A loop
 * that waits keeps the process alive.
 */
export class Wake {
  #noticed = false;
  #goOn: (() => void) | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(): void {
    this.#noticed = true;
    this.#goOn?.();
  }

  /** Resolves at the next notice, in the next turn where one was kept, or after `ms`. */
  async wait(ms: Millis): Promise<void> {
    if (this.#noticed) await this.#clock.turn();
    else await this.#noticeOr(ms);
    this.#goOn = undefined;
    this.#noticed = false;
  }

  #noticeOr(ms: Millis): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve, true);
      this.#goOn = () => {
        cancel();
        resolve();
      };
    });
  }
}
