import { chained, type InputRecord, type TableRow } from './input.ts';
import { GRACE_MS, PARTITIONS, WINDOW_MS } from './topology.ts';

/** One record of an output, as the checker compares it. */
export interface Entry {
  readonly partition: number;
  readonly key: string;
  /** What must be there exactly once: for most outputs the id of the input record that made it. */
  readonly id: string;
  /** All that it says. */
  readonly text: string;
}

export const OUTPUTS = ['copy', 'chain', 'windows', 'joined', 'regrouped'] as const;
export type OutputName = (typeof OUTPUTS)[number];

/** Everything that a run has left behind, or should have. Entries stand partition by partition, in order. */
export interface Results {
  readonly outputs: { readonly [name in OutputName]: readonly Entry[] };
  /** Records of the input up to which positions are committed, by partition. */
  readonly positions: readonly number[];
}

/** What the job must give for this input, by the simplest means. */
export function expectedResults(
  records: readonly InputRecord[],
  rows: readonly TableRow[],
  options: { /** The run has ended, and so have all its windows. */ readonly ended: boolean },
): Results {
  const outputs = { copy: [], chain: [], windows: [], joined: [], regrouped: [] } as Record<OutputName, Entry[]>;
  const factors = new Map(rows.map(({ key, factor }) => [key, factor]));
  const positions: number[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const mine = records.filter((each) => each.partition === partition);
    positions.push(mine.length);
    expectPartition(partition, mine, factors, options.ended, outputs);
  }
  return { outputs, positions };
}

function expectPartition(
  partition: number,
  records: readonly InputRecord[],
  factors: ReadonlyMap<string, number>,
  ended: boolean,
  outputs: Record<OutputName, Entry[]>,
): void {
  const chains = new Map<string, { count: number; hash: number }>();
  const open = new Map<string, { key: string; start: number; sums: WindowSums }>();
  let clock = -1;
  const close = (until: number) => {
    for (const [name, { key, start, sums }] of open) {
      if (start + WINDOW_MS + GRACE_MS > until) continue;
      open.delete(name);
      outputs.windows.push(windowEntry(partition, key, start, sums));
    }
  };
  for (const { key, id, group, amount, at } of records) {
    outputs.copy.push(copyEntry(partition, key, id, group, amount));
    const { count, hash } = chains.get(key) ?? { count: 0, hash: 0 };
    const link = { count: count + 1, hash: chained(hash, id) };
    chains.set(key, link);
    outputs.chain.push(chainEntry(partition, key, id, link.count, link.hash));
    const factor = factors.get(key);
    if (factor !== undefined) outputs.joined.push(joinedEntry(partition, key, id, amount * factor));
    // where a group lies is told by its key; how it interleaves with other partitions, by nobody
    outputs.regrouped.push(regroupedEntry(-1, group, id, 0));
    clock = Math.max(clock, at);
    close(clock);
    const start = at - (at % WINDOW_MS);
    if (start + WINDOW_MS + GRACE_MS <= clock) continue;
    const name = `${key}@${start}`;
    const sums = withAmount(open.get(name)?.sums, amount);
    open.set(name, { key, start, sums });
  }
  if (ended) close(Number.POSITIVE_INFINITY);
}

function withAmount(sums: WindowSums | undefined, amount: number): WindowSums {
  const { count, total, least, most } = sums ?? { count: 0, total: 0, least: amount, most: amount };
  return {
    count: count + 1,
    total: total + amount,
    least: Math.min(least, amount),
    most: Math.max(most, amount),
  };
}

export const copyEntry = (partition: number, key: string, id: number, group: string, amount: number): Entry => ({
  partition,
  key,
  id: String(id),
  text: `${key} ${group} ${amount}`,
});

export const chainEntry = (partition: number, key: string, id: number, count: number, hash: number): Entry => ({
  partition,
  key,
  id: String(id),
  text: `${key} ${count} ${hash}`,
});

/** What a window says of the amounts in it. */
export interface WindowSums {
  readonly count: number;
  readonly total: number;
  readonly least: number;
  readonly most: number;
}

export const windowEntry = (partition: number, key: string, start: number, sums: WindowSums): Entry => ({
  partition,
  key,
  id: `${key}@${start}`,
  text: `${sums.count} ${sums.total} ${sums.least} ${sums.most}`,
});

export const joinedEntry = (partition: number, key: string, id: number, product: number): Entry => ({
  partition,
  key,
  id: String(id),
  text: `${key} ${product}`,
});

/** Its count is checked by itself: counts of a group rise by one from one record to the next. */
export const regroupedEntry = (partition: number, group: string, id: number, count: number): Entry => ({
  partition,
  key: group,
  id: String(id),
  text: String(count),
});
