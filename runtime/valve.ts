import type { Millis } from '../core/ids.ts';
import type { KeptNumber } from '../operators/operators.ts';

/**
 * Makes one time of several channels: the least of those that count. It never goes back.
 *
 * - A channel that is idle does not count. When it speaks again behind what came out by then, it does not hold the
 *   others back before it has caught up.
 * - A channel that is *held* counts at the last time it told, however far behind that is.
 * - When all are idle, what comes out is the greatest time that any of them told.
 *
 * What changes a channel only notes it; {@link Valve.flow} lets time through.
 */
export class Valve {
  readonly #times: readonly KeptNumber[];
  readonly #out: KeptNumber;
  readonly #idle: boolean[];
  /** Woken behind the time that had come out, and not caught up since. */
  readonly #behind: boolean[];

  constructor(times: readonly KeptNumber[], out: KeptNumber) {
    this.#times = times;
    this.#out = out;
    this.#idle = times.map(() => false);
    this.#behind = times.map(() => false);
  }

  get allIdle(): boolean {
    return this.#idle.every((idle) => idle);
  }

  isIdle(channel: number): boolean {
    return this.#idle[channel]!;
  }

  /** Takes what a channel tells; an idle one is to be called active first, and a time before its last is ignored. */
  time(channel: number, at: Millis): void {
    const kept = this.#times[channel]!;
    if (this.#idle[channel] || at <= kept.value) return;
    kept.set(at);
    if (at >= this.#out.value) this.#behind[channel] = false;
  }

  idle(channel: number): void {
    this.#idle[channel] = true;
    this.#behind[channel] = false;
  }

  active(channel: number): void {
    if (!this.#idle[channel]) return;
    this.#idle[channel] = false;
    this.#behind[channel] = this.#times[channel]!.value < this.#out.value;
  }

  hold(channel: number): void {
    this.#idle[channel] = false;
    this.#behind[channel] = false;
  }

  /** Answers whether time moved. */
  flow(): boolean {
    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    let idle = 0;
    for (let i = 0; i < this.#times.length; i++) {
      const at = this.#times[i]!.value;
      if (at > greatest) greatest = at;
      if (this.#idle[i]) idle++;
      else if (!this.#behind[i] && at < least) least = at;
    }
    const next = idle === this.#times.length ? greatest : least;
    if (next === Number.POSITIVE_INFINITY || next <= this.#out.value) return false;
    this.#out.set(next);
    return true;
  }
}
