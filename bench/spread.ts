export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median, smallest and largest of the ratios of pairs. */
export function spread(ratios: readonly number[]): {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
} {
  return { ratio: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}
