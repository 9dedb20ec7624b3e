import { assert } from '../core/assert.ts';
import type { Histogram } from './telemetry.ts';

/** Counts of values at or below fixed bounds, plus count and sum. */
export class FixedHistogram implements Histogram {
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    for (let i = 1; i < bounds.length; i++) assert(bounds[i]! > bounds[i - 1]!, () => 'histogram bounds must rise');
    this.bounds = [...bounds];
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.bounds;
    let at = 0;
    while (at < bounds.length && value > bounds[at]!) at++;
    this.#counts[at]!++;
    this.#sum += value;
  }

  /** `[count, sum, ...cumulative counts]`, one for each bound. */
  values(): readonly number[] {
    const cumulative: number[] = [];
    let count = 0;
    for (let i = 0; i < this.bounds.length; i++) {
      count += this.#counts[i]!;
      cumulative.push(count);
    }
    return [count + this.#counts[this.bounds.length]!, this.#sum, ...cumulative];
  }
}
