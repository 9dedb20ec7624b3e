import type { Clock } from '../core/clock.ts';
import { Deadline } from '../core/deadline.ts';
import type { Millis } from '../core/ids.ts';

/**
 * Something a loop waits on: notified by whatever brings it work. A notice given while nobody waits is kept. A loop
 * that waits keeps the process alive, and so may one that has waited, until it closes what it waited on.
 */
export class Wake {
  /** Whom the notices named that were kept, and whether there is one that named nobody. */
  #named: string[] = [];
  #isForAll = false;
  #goOn: (() => void) | undefined;
  readonly #clock: Clock;
  readonly #deadline: Deadline;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#deadline = new Deadline(clock, () => this.#goOn?.(), true);
  }

  /** `name`: nobody else of those that the loop looks after has anything to do because of it. */
  notify(name?: string): void {
    if (name === undefined) this.#isForAll = true;
    else if (!this.#named.includes(name)) this.#named.push(name);
    this.#goOn?.();
  }

  /**
   * Resolves at the next notice, in the next turn where one was kept, or after `ms`. Answers the names, where each notice
   * since the last answer had one.
   */
  async wait(ms: Millis): Promise<readonly string[] | undefined> {
    if (this.#isForAll || this.#named.length > 0) await this.#clock.turn();
    else await this.#noticeOr(ms);
    this.#deadline.clear();
    this.#goOn = undefined;
    const named = this.#named;
    const isForAll = this.#isForAll || named.length === 0;
    if (named.length > 0) this.#named = [];
    this.#isForAll = false;
    return isForAll ? undefined : named;
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
