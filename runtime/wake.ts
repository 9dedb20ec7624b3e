import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';

/** Something a loop waits on: notified by whatever brings it work. A notice given while nobody waits is kept. */
export class Wake {
  #noticed = false;
  #resolve: (() => void) | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(): void {
    this.#noticed = true;
    this.#resolve?.();
  }

  /** Resolves at the next notice, at once where one was kept, or after `ms`. */
  async wait(ms: Millis): Promise<void> {
    if (!this.#noticed) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        this.#resolve = () => {
          cancel();
          resolve();
        };
      });
      this.#resolve = undefined;
    }
    this.#noticed = false;
  }
}
