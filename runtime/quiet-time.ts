import type { Millis } from '../core/ids.ts';

/** How long something has had nothing to do, as far as anybody looked. */
export class QuietTime {
  #quietMs = -1;
  #lookedAt = 0;
  readonly #mostMs: Millis;

  /** Between two looks no more than this counts: who did not look was blocked, and blocked is not idle. */
  constructor(mostMs: Millis) {
    this.#mostMs = mostMs;
  }

  turn(now: Millis, quiet: boolean): void {
    if (!quiet) this.#quietMs = -1;
    else if (this.#quietMs < 0) this.#quietMs = 0;
    else this.#quietMs += Math.min(this.#mostMs, now - this.#lookedAt);
    this.#lookedAt = now;
  }

  /** It has been so for this long. */
  lasted(ms: Millis): boolean {
    return this.#quietMs >= ms;
  }
}
