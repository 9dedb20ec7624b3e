import type { Clock } from '../../core/clock.ts';
import type { Millis } from '../../core/ids.ts';
import type { Outage } from '../log.ts';

/** So long nobody may answer before that is an outage. What is asked here is answered within a second, where all is well. */
const OUTAGE_AFTER_MS: Millis = 3000;

/** Whether anybody in the cluster answers, from all that is asked of it. */
export class Pulse {
  readonly #clock: Clock;
  /** When the first question was asked since the last answer; by the clock that only rises, and by that of the wall. */
  #asked: { readonly at: Millis; readonly since: Millis } | undefined;
  #reason = 'nobody answers';
  #retries = 0;
  #breaks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was asked that is answered at once where all is well. */
  asked(): void {
    this.#asked ??= { at: this.#clock.monotonic(), since: this.#clock.now() };
  }

  /** A broker has answered, whatever. */
  heard(): void {
    this.#asked = undefined;
  }

  missed(reason: string): void {
    this.asked();
    this.#reason = reason;
  }

  /** Something is asked again. */
  again(): void {
    this.#retries++;
  }

  get retries(): number {
    return this.#retries;
  }

  /** A connection to a broker has ended, and we did not end it. */
  broke(): void {
    this.#breaks++;
  }

  /**
   * Connections that have ended by themselves so far. While none has, each broker that was asked is still the one that
   * answered; behind a break it may have been started anew.
   */
  get breaks(): number {
    return this.#breaks;
  }

  get outage(): Outage | undefined {
    if (this.#asked === undefined || this.#clock.monotonic() - this.#asked.at < OUTAGE_AFTER_MS) return undefined;
    return { since: this.#asked.since, reason: this.#reason };
  }
}
