import type { Budget } from '../state/state.ts';

/**
 * A part of a budget with a bound of its own. What it uses counts in the whole too, so that standbys take from running
 * tasks no more than the part.
 */
export class BudgetShare implements Budget {
  readonly maxBytes: number;
  readonly #whole: Budget;
  #used = 0;

  constructor(whole: Budget, part: number) {
    this.#whole = whole;
    this.maxBytes = Math.floor(whole.maxBytes * part);
  }

  get usedBytes(): number {
    return this.#used;
  }

  set usedBytes(bytes: number) {
    this.#whole.usedBytes += bytes - this.#used;
    this.#used = bytes;
  }
}
