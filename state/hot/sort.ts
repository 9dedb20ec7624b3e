/** Sorted by prefix and place in one double of 53 bits: up to so many rows. */
const PLACES = 1 << 21;

/**
 * Sorts row numbers by key, in place: first by a prefix of the key, an unsigned 32-bit number that never
 * contradicts `compare`, then by `compare` where prefixes are equal. Numbers sort several times faster without a
 * function that compares them.
 */
export function sortRows(
  rows: Int32Array,
  prefixOf: (row: number) => number,
  compare: (a: number, b: number) => number,
): Int32Array {
  const count = rows.length;
  if (count > PLACES) return rows.sort(compare);
  const ranks = new Float64Array(count);
  for (let i = 0; i < count; i++) ranks[i] = prefixOf(rows[i]!) * PLACES + i;
  ranks.sort();
  const unsorted = rows.slice();
  let start = 0;
  let last = -1;
  for (let i = 0; i < count; i++) {
    const prefix = Math.floor(ranks[i]! / PLACES);
    rows[i] = unsorted[ranks[i]! - prefix * PLACES]!;
    if (prefix === last) continue;
    if (i - start > 1) rows.subarray(start, i).sort(compare);
    start = i;
    last = prefix;
  }
  if (count - start > 1) rows.subarray(start).sort(compare);
  return rows;
}
