/** How many pairs of letters are compared for one answer: names may come from anybody, of any length and number. */
const MAX_PAIRS = 4_000_000;

/** Names that somebody may have meant, best first: a few letters off, or the same behind a dot. */
export function nearest(name: string, known: readonly string[]): readonly string[] {
  const limit = Math.max(2, Math.floor(name.length / 3));
  const letters = name.toLowerCase();
  let left = MAX_PAIRS;
  const found: { readonly candidate: string; readonly apart: number }[] = [];
  for (const candidate of known) {
    const others = candidate.toLowerCase();
    const longer = Math.abs(others.length - letters.length);
    if (name.length > 2 && candidate.endsWith(`.${name}`)) {
      found.push({ candidate, apart: longer });
      continue;
    }
    const pairs = others.length * letters.length;
    // names are never less apart than their lengths
    if (longer > limit || pairs > left) continue;
    left -= pairs;
    const apart = distance(letters, others);
    if (apart <= limit) found.push({ candidate, apart });
  }
  return found
    .sort((a, b) => a.apart - b.apart)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `; did you mean a or b?`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const names = nearest(name, known);
  return names.length === 0 ? '' : `; did you mean ${names.join(' or ')}?`;
}

/** Levenshtein's: how many letters must be changed, added or removed. */
function distance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    let corner = i - 1;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const change = corner + (a[i - 1] === b[j - 1] ? 0 : 1);
      corner = row[j]!;
      row[j] = Math.min(change, corner + 1, row[j - 1]! + 1);
    }
  }
  return row[b.length]!;
}
