import { type Random, randomInt } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import { type Log, partitionForKey } from '../log/log.ts';
import { int64, string } from '../schemas/schemas.ts';
import { topology as defineTopology, topic } from '../topology/topology.ts';

/** Two tables joined by foreign key, of counts that differ; what comes of it is counted by its value. */
const KEYED = { key: string(), value: string() } as const;
export const lefts = topic('lefts', { ...KEYED, partitions: 3 });
export const rights = topic('rights', { ...KEYED, partitions: 2 });
export const joined = topic('joined', { ...KEYED, partitions: 3 });
export const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });

export const topology = defineTopology('joined');
const rows = topology.table(lefts, { store: 'lefts' }).leftJoinForeign(topology.table(rights, { store: 'rights' }), {
  ...{ name: 'fk', store: 'rows', value: string() },
  foreignKey: (value) => foreignKey(value),
  merge: (value, row) => `${value}+${row}`,
});
rows.toStream().to(joined);
rows
  .groupBy((text) => [text.slice(0, 2), text], { name: 'by-start', ...KEYED, partitions: 2 })
  .count({ store: 'counts' })
  .toStream()
  .to(counts);

/** `f1|text` names the row `f1`; a dash names none. */
function foreignKey(value: string): string | null {
  const [key = '-'] = value.split('|');
  return key === '-' ? null : key;
}

export interface Update {
  readonly topic: 'lefts' | 'rights';
  readonly key: string;
  readonly value: string | null;
  readonly timestamp: number;
}

export function randomUpdates(random: Random, count: number, from = 0): readonly Update[] {
  return Array.from({ length: count }, (_, n): Update => {
    const timestamp = from + n + randomInt(random, 9);
    if (randomInt(random, 8) === 0) {
      const value = randomInt(random, 5) === 0 ? null : `r${from + n}`;
      return { topic: 'rights', key: `f${randomInt(random, 9)}`, value, timestamp };
    }
    const named = randomInt(random, 9) === 0 ? '-' : `f${randomInt(random, 12)}`;
    const value = randomInt(random, 8) === 0 ? null : `${named}|${from + n}`;
    return { topic: 'lefts', key: `k${randomInt(random, 150)}`, value, timestamp };
  });
}

/** What is left when all updates have been taken: rows of the join, and how many begin alike. */
export function expectedRows(updates: readonly Update[]): {
  readonly rows: ReadonlyMap<string, string>;
  readonly counts: ReadonlyMap<string, number>;
} {
  const newest = { lefts: new Map<string, string | null>(), rights: new Map<string, string | null>() };
  for (const { topic: name, key, value } of updates) newest[name].set(key, value);
  const rows = new Map<string, string>();
  const alike = new Map<string, number>();
  for (const [key, value] of newest.lefts) {
    if (value === null) continue;
    const named = foreignKey(value);
    const text = `${value}+${named === null ? null : (newest.rights.get(named) ?? null)}`;
    rows.set(key, text);
    alike.set(text.slice(0, 2), (alike.get(text.slice(0, 2)) ?? 0) + 1);
  }
  return { rows, counts: alike };
}

/** Writes updates to their partitions, in batches of their own. */
export async function write(log: Log, updates: readonly Update[]): Promise<void> {
  const producer = await log.producer({});
  for (const { name, partitions } of [lefts, rights]) {
    if ((await log.admin.describe(name)) === undefined) await log.admin.create(name, { partitions });
  }
  for (let from = 0; from < updates.length; from += 100) {
    const builders = new Map<string, { topic: string; partition: number; builder: BatchBuilder }>();
    for (const { topic: name, key, value, timestamp } of updates.slice(from, from + 100)) {
      const bytes = Buffer.from(key);
      const partition = partitionForKey(bytes, 0, bytes.length, (name === 'lefts' ? lefts : rights).partitions);
      const at = `${name}/${partition}`;
      const batch = builders.get(at) ?? { topic: name, partition, builder: new BatchBuilder(new Step()) };
      builders.set(at, batch);
      const text = Buffer.from(value ?? '');
      batch.builder.append(timestamp, bytes, 0, bytes.length, text, value === null ? -1 : 0, text.length);
    }
    for (const { topic: name, partition, builder } of builders.values()) {
      await producer.append(name, partition, builder.finish());
    }
  }
  await producer.close();
}
