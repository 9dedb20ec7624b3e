import type { Millis } from '../core/ids.ts';
import type { CacheSettings } from '../topology/plan.ts';

interface Answer {
  readonly row: unknown;
  readonly until: Millis;
}

/** Answers by key, for as long as they hold; beyond its bound the one that was asked for longest ago goes. */
export class AnswerCache {
  readonly #settings: CacheSettings;
  readonly #answers = new Map<string, Answer>();

  constructor(settings: CacheSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** The row, null where it is known that there is none, `undefined` where nothing is known. */
  find(key: string, now: Millis): unknown {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    this.#answers.delete(key);
    if (answer.until <= now) return undefined;
    this.#answers.set(key, answer);
    return answer.row;
  }

  keep(key: string, row: unknown, now: Millis): void {
    const { maxEntries, ttlMs, negativeTtlMs } = this.#settings;
    this.#answers.delete(key);
    const holdMs = row === null ? negativeTtlMs : ttlMs;
    if (holdMs <= 0) return;
    this.#answers.set(key, { row, until: now + holdMs });
    if (this.#answers.size > maxEntries) this.#answers.delete(this.#answers.keys().next().value!);
  }
}
