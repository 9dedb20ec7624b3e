/** The input as a function of a seed and a number, and what is computed of it by both the job and the oracle. */
export interface InputRecord {
  readonly partition: number;
  readonly key: string;
  readonly id: number;
  readonly group: string;
  readonly amount: number;
  readonly at: number;
}

export interface TableRow {
  readonly key: string;
  readonly factor: number;
}

const KEYS = 60;
const GROUPS = 12;
const STEP_MS = 20;
/** The table stands at time 0, before all records. */
const FIRST_MS = 1000;
/** Every so many records one comes late, but within the grace of its window. */
const LATE_EVERY = 41;
const LATE_MS = 4000;
/** ... and one too late for its window. */
const TOO_LATE_EVERY = 103;
const TOO_LATE_MS = 60_000;
/** How far the last record of each key is ahead: all windows before it close. */
const AHEAD_MS = 3_600_000;

/** The n-th record, without its partition, which the key decides. */
export function makeRecord(seed: number, n: number): Omit<InputRecord, 'partition'> {
  const mixed = mix(seed, n);
  const late = n % TOO_LATE_EVERY === 102 ? TOO_LATE_MS : n % LATE_EVERY === 40 ? LATE_MS : 0;
  return {
    key: `k${mixed % KEYS}`,
    id: n,
    group: `g${(mixed >>> 8) % GROUPS}`,
    amount: (mixed >>> 16) % 1000,
    at: Math.max(FIRST_MS, FIRST_MS + n * STEP_MS - late),
  };
}

/** A last record for each key, which shows what became of its state and closes every window. */
export function makeLast(seed: number, from: number): readonly Omit<InputRecord, 'partition'>[] {
  return Array.from({ length: KEYS }, (_, i) => {
    const n = from + i;
    return { ...makeRecord(seed, n), key: `k${i}`, at: from * STEP_MS + AHEAD_MS };
  });
}

/** Five keys of six have a row. */
export function makeTable(seed: number): readonly TableRow[] {
  const rows: TableRow[] = [];
  for (let i = 0; i < KEYS; i++) if (i % 6 !== 5) rows.push({ key: `k${i}`, factor: (mix(seed, -1 - i) % 97) + 1 });
  return rows;
}

/** The next value of a chain: it depends on every id before, and on their order. */
export function chained(hash: number, id: number): number {
  return Math.imul(hash ^ id, 16_777_619) + 1;
}

function mix(seed: number, n: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 0x7f4a7c15, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
