import { check, FAULTS, type Fault, isGood } from './checker.ts';
import { chained, type InputRecord, makeRecord, makeTable } from './input.ts';
import { chainEntry, copyEntry, type Entry, expectedResults, type OutputName, type Results } from './oracle.ts';
import { PARTITIONS } from './topology.ts';

type KeyOf = (id: string) => string | undefined;
type Outputs = { [name in OutputName]: Entry[] };
interface Doctored {
  readonly name: string;
  /** Exactly what the checker must find. */
  readonly faults: readonly Fault[];
  readonly change: (outputs: Outputs, positions: number[], keyOf: KeyOf) => void;
}

const MIDDLE = 40;
const replace = (entries: Entry[], at: number, change: Partial<Entry>) => {
  entries[at] = { ...entries[at]!, ...change };
};
/** Behind the entry at this place, the next of the same key. */
const nextOfKey = (entries: readonly Entry[], at: number) =>
  entries.findIndex(
    (entry, i) => i > at && entry.key === entries[at]!.key && entry.partition === entries[at]!.partition,
  );

/** Results that are wrong in one way each. */
export const DOCTORED: readonly Doctored[] = [
  { name: 'a copied record is missing', faults: ['lost'], change: ({ copy }) => copy.splice(MIDDLE, 1) },
  { name: 'a copied record stands twice', faults: ['doubled'], change: ({ copy }) => copy.push(copy[MIDDLE]!) },
  {
    name: 'two copied records changed places',
    faults: ['inverted'],
    change: ({ copy }) => copy.splice(MIDDLE, 2, copy[MIDDLE + 1]!, copy[MIDDLE]!),
  },
  {
    name: 'a copied record was altered',
    faults: ['wrong'],
    change: ({ copy }) => replace(copy, MIDDLE, { text: 'x' }),
  },
  {
    name: 'a record of an aborted transaction is visible',
    faults: ['foreign'],
    change: ({ copy }) => copy.splice(MIDDLE, 0, copyEntry(0, 'k1', 999_999, 'g1', 1)),
  },
  {
    name: 'a record lies in another partition',
    faults: ['lost', 'foreign'],
    change: ({ copy }) => replace(copy, MIDDLE, { partition: (copy[MIDDLE]!.partition + 1) % PARTITIONS }),
  },
  { name: 'the chain has a gap', faults: ['lost'], change: ({ chain }) => chain.splice(MIDDLE, 1) },
  {
    name: 'the chain repeats a running value',
    faults: ['wrong'],
    change: ({ chain }) => replace(chain, nextOfKey(chain, MIDDLE), { text: chain[MIDDLE]!.text }),
  },
  { name: 'an update was lost and the chain went on', faults: ['lost', 'wrong'], change: ({ chain }) => forget(chain) },
  {
    name: 'an update was done twice and the chain went on',
    faults: ['doubled', 'wrong'],
    change: ({ chain }) => repeat(chain),
  },
  {
    name: 'a whole partition of the chain is missing',
    faults: ['lost'],
    change(outputs) {
      outputs.chain = outputs.chain.filter(({ partition }) => partition !== 1);
    },
  },
  { name: 'a window is missing', faults: ['lost'], change: ({ windows }) => windows.splice(MIDDLE, 1) },
  { name: 'a window closed twice', faults: ['doubled'], change: ({ windows }) => windows.push(windows[MIDDLE]!) },
  {
    name: 'a window has a wrong count',
    faults: ['wrong'],
    change: ({ windows }) => replace(windows, MIDDLE, { text: '1 1' }),
  },
  {
    name: 'a join met an old row',
    faults: ['wrong'],
    change: ({ joined }) => replace(joined, MIDDLE, { text: `${joined[MIDDLE]!.key} -1` }),
  },
  { name: 'the end of the join is cut off', faults: ['lost'], change: ({ joined }) => joined.splice(-3) },
  {
    name: 'a group counted one record twice',
    faults: ['wrong'],
    change: ({ regrouped }) => replace(regrouped, MIDDLE, { text: String(Number(regrouped[MIDDLE]!.text) + 1) }),
  },
  {
    name: 'a group has a record again',
    faults: ['doubled'],
    change: ({ regrouped }) => regrouped.push(regrouped[MIDDLE]!),
  },
  {
    name: 'a group took two records of one key in the wrong order',
    faults: ['inverted'],
    change: ({ regrouped }, _, keyOf) => swapIds(regrouped, keyOf),
  },
  { name: 'committed positions stand behind', faults: ['positions'], change: (_, positions) => positions[2]!-- },
];

const RECORDS = 2000;

/** Hands every doctored result to the checker; answers where it did not find what it must, in words. */
export function selfTest(seed: number): readonly string[] {
  const records: InputRecord[] = [];
  for (let n = 0; n < RECORDS; n++) {
    const made = makeRecord(seed, n);
    records.push({ ...made, partition: Number(made.key.slice(1)) % PARTITIONS });
  }
  const expected = expectedResults(records, makeTable(seed), { ended: true });
  const keys = new Map(records.map(({ id, key }) => [String(id), key]));
  const keyOf = (id: string) => keys.get(id);
  const failures: string[] = [];
  if (!isGood(check(perfect(expected), expected, keyOf))) failures.push('perfect results were refused');
  for (const { name, faults, change } of DOCTORED) {
    const { outputs, positions } = perfect(expected);
    change(outputs, positions, keyOf);
    const { counts } = check({ outputs, positions }, expected, keyOf);
    const found = FAULTS.filter((fault) => counts[fault] > 0);
    if (found.join() !== FAULTS.filter((fault) => faults.includes(fault)).join()) {
      failures.push(`${name}: found ${found.join(', ') || 'nothing'}, not ${faults.join(', ')}`);
    }
  }
  return failures;
}

/** Results as a job without faults would leave them. */
function perfect(expected: Results): { outputs: Outputs; positions: number[] } {
  const counts = new Map<string, number>();
  const regrouped = expected.outputs.regrouped.map((entry) => {
    const count = (counts.get(entry.key) ?? 0) + 1;
    counts.set(entry.key, count);
    return { ...entry, partition: Number(entry.key.slice(1)) % 2, text: String(count) };
  });
  const { copy, chain, windows, joined } = expected.outputs;
  return {
    outputs: { copy: [...copy], chain: [...chain], windows: [...windows], joined: [...joined], regrouped },
    positions: [...expected.positions],
  };
}

/** Takes one update away and computes all behind it anew. */
function forget(chain: Entry[]): void {
  const [gone] = chain.splice(MIDDLE, 1) as [Entry];
  recompute(chain, gone);
}

function repeat(chain: Entry[]): void {
  const again = chain[MIDDLE]!;
  chain.splice(MIDDLE + 1, 0, again);
  recompute(chain, again);
}

function recompute(chain: Entry[], of: Entry): void {
  let count = 0;
  let hash = 0;
  chain.forEach((entry, i) => {
    if (entry.key !== of.key || entry.partition !== of.partition) return;
    count++;
    hash = chained(hash, Number(entry.id));
    chain[i] = chainEntry(entry.partition, entry.key, Number(entry.id), count, hash);
  });
}

/** Two records that one input key gave to one group change their ids. */
function swapIds(regrouped: Entry[], keyOf: KeyOf): void {
  const seen = new Map<string, number>();
  for (const [i, { key, id }] of regrouped.entries()) {
    const name = `${key} ${keyOf(id)}`;
    const before = seen.get(name);
    if (before !== undefined) {
      replace(regrouped, i, { id: regrouped[before]!.id });
      replace(regrouped, before, { id });
      return;
    }
    seen.set(name, i);
  }
}
