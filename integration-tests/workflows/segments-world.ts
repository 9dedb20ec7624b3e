import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { createLaneLog, type Log } from '../../log/log.ts';
import { json, string } from '../../schemas/schemas.ts';
import { documentOf } from '../../workflows/segments/jobs.fixture.ts';
import { putRecords } from '../../workflows/segments/put-record.ts';
import { runOfTopic } from '../../workflows/segments/segments.ts';
import type { Place } from './world.ts';

const ORDERS = 5_000;
const USERS = 40;
const SPAN = 25_000;

const orders = Array.from({ length: ORDERS }, (_, n) => ({
  key: `u${(n * 7) % USERS}`,
  value: { total: n % 101, kind: `k${n % 5}` },
  timestamp: 1000 + n * 50,
}));
const users = Array.from({ length: USERS }, (_, n) => ({ key: `u${n}`, value: { factor: 1 + n }, timestamp: 0 }));

/** Orders with the row of their user, summed up by kind and span: of each group of kinds another execution. */
export const SUMS = {
  ...documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders', partitions: 2 }],
      ['users', 'source.topic', { topic: 'users', partitions: 2 }],
      ['rows', 'op.table'],
      ['both', 'op.join', { merge: "{'sum': value.total * row.factor, 'kind': value.kind}" }],
      ['by', 'op.select-key', { key: 'value.kind', partitions: 3 }],
      ['spans', 'op.window.tumbling', { size: `${SPAN / 1000}s` }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value.sum' }],
      ['all', 'collect'],
    ],
    ['users > rows', 'orders > both.in', 'rows > both.with', 'both > by', 'by > spans', 'spans > sums', 'sums > all'],
  ),
  mode: 'batch' as const,
};

/** The topics that it reads, where they are not there yet. */
export async function putTopics(log: Log): Promise<void> {
  if ((await log.admin.list()).includes('orders')) return;
  const formats = { partitions: 2, key: string(), value: json() };
  await putRecords(log, { name: 'users', ...formats }, users);
  await putRecords(log, { name: 'orders', ...formats }, orders);
}

/** What the sums are, in their order of size. */
export function expectedSums(): Json {
  const sums = new Map<string, number>();
  for (const { key, value, timestamp } of orders) {
    const group = `${value.kind} ${Math.floor(timestamp / SPAN)}`;
    sums.set(group, (sums.get(group) ?? 0) + value.total * (1 + Number(key.slice(1))));
  }
  return sorted([...sums.values()]);
}

export function sorted(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b);
}

/** Resolves when runs of segments have left nothing in lanes, in topics and groups of their own, and in folders. */
export async function nothingLeft(log: Log, { directory }: Place): Promise<void> {
  const lanes = createLaneLog(log, { clock: systemClock, runOf: runOfTopic });
  const state = join(directory, 'state');
  for (;;) {
    const topics = (await lanes.admin.list()).filter((topic) => runOfTopic(topic) !== undefined);
    const groups = (await log.admin.groups()).filter(({ group }) => group.startsWith('wf.'));
    const folders = readdirSync(state).filter((name) => name.startsWith('wf.'));
    if (topics.length + groups.length + folders.length === 0) break;
    await systemClock.sleep(20);
  }
  await lanes.close();
}
