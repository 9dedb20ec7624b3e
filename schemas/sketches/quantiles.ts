/** Bins beyond this are merged into their neighbour, those of the smallest magnitude first. */
const MOST_BINS = 2048;

/** Counts by whole number, in ascending order. */
export class Bins {
  indexes: number[] = [];
  counts: number[] = [];

  add(index: number, count: number): void {
    const { indexes, counts } = this;
    let low = 0;
    let high = indexes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (indexes[middle]! < index) low = middle + 1;
      else high = middle;
    }
    if (indexes[low] === index) {
      counts[low]! += count;
      return;
    }
    indexes.splice(low, 0, index);
    counts.splice(low, 0, count);
    if (indexes.length <= MOST_BINS) return;
    counts[1]! += counts[0]!;
    indexes.shift();
    counts.shift();
  }
}

/**
 * DDSketch (C. Masson, J. Rim, H. Lee, VLDB 2019): quantiles of numbers with a bounded relative error, from counts in
 * bins whose bounds grow by a constant factor. What {@link at} answers differs from the true quantile by at most
 * `error` times its magnitude, for numbers of any size. Sketches of one error merge without further loss: the merged
 * one is what adding all numbers to one would have given.
 *
 * It takes a bin for each different magnitude, 230 for a factor of 100 at an error of 0.01; beyond 2048 for
 * each sign, which is a factor of 10^17 without a gap at that error, the smallest magnitudes share one.
 */
export class Quantiles {
  count = 0;
  /** Of all numbers; Infinity and -Infinity where there are none. */
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  zeros = 0;
  /** By magnitude. */
  readonly positive = new Bins();
  readonly negative = new Bins();
  readonly error: number;
  readonly #logGamma: number;

  constructor(error: number) {
    this.error = error;
    this.#logGamma = Math.log((1 + error) / (1 - error));
  }

  /** A finite number. */
  add(value: number): void {
    this.count++;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (value === 0) this.zeros++;
    else if (value > 0) this.positive.add(this.#binOf(value), 1);
    else this.negative.add(this.#binOf(-value), 1);
  }

  /** Takes what the other was given. Both have one error. */
  merge(other: Quantiles): void {
    this.count += other.count;
    this.zeros += other.zeros;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    mergeBins(this.positive, other.positive);
    mergeBins(this.negative, other.negative);
  }

  /**
   * The number of which the part `quantile` (0 to 1) is smaller: of n sorted numbers, about the one at place
   * `floor(quantile * (n - 1))`. NaN where there are none.
   */
  at(quantile: number): number {
    if (this.count === 0 || !(quantile >= 0 && quantile <= 1)) return Number.NaN;
    let before = Math.floor(quantile * (this.count - 1));
    const { indexes, counts } = this.negative;
    for (let i = indexes.length - 1; i >= 0; i--) {
      before -= counts[i]!;
      if (before < 0) return this.#within(-this.#middleOf(indexes[i]!));
    }
    before -= this.zeros;
    if (before < 0) return 0;
    for (let i = 0; i < this.positive.indexes.length; i++) {
      before -= this.positive.counts[i]!;
      if (before < 0) return this.#within(this.#middleOf(this.positive.indexes[i]!));
    }
    return this.max;
  }

  toJSON(): object {
    const { count, min, max } = this;
    return { count, min, max, p50: this.at(0.5), p90: this.at(0.9), p99: this.at(0.99) };
  }

  #binOf(magnitude: number): number {
    return Math.ceil(Math.log(magnitude) / this.#logGamma);
  }

  /** Where the relative error to both bounds of the bin is the same. */
  #middleOf(index: number): number {
    return Math.exp(index * this.#logGamma) * (1 - this.error);
  }

  #within(value: number): number {
    return Math.min(this.max, Math.max(this.min, value));
  }
}

function mergeBins(into: Bins, from: Bins): void {
  for (let i = 0; i < from.indexes.length; i++) into.add(from.indexes[i]!, from.counts[i]!);
}
