import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../core/clock.ts';
import { seededRandom } from '../../../core/random.ts';
import { createMemoryLog } from '../../../log/memory/memory.ts';
import { json, string } from '../../../schemas/schemas.ts';
import { putRecords } from '../../../workflows/segments/put-record.ts';
import { wrong } from './job.ts';
import { killStream } from './kill-stream.ts';

test('S1.3.c: a streaming run that is killed at random loses nothing and counts nothing twice', {
  timeout: 600_000,
}, async (t) => {
  const report = await killStream({ records: 60_000, kills: 3, withinMs: 300, seed: 7 });
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual(report.faults, []);
  assert.ok(
    report.passed.some((passed) => passed > 0 && passed < 40_000),
    'it was never killed while records moved',
  );
});

test('outputs in which a record is lost, there twice, or not to be there, and a wrong sum, are refused', async () => {
  const sums = [7, 9, 11, 3, 4, 5, 6].map((sum, key) => [`${key}`, sum] as const);
  const judged = async (kept: readonly number[], totals: readonly (readonly [string, number])[]) => {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
    const rows = (pairs: readonly (readonly [string, unknown])[]) =>
      pairs.map(([key, value]) => ({ key, value: value as never, timestamp: 0 }));
    const topic = (name: string) => ({ name, partitions: 1, key: string(), value: json() });
    await putRecords(log, topic('kept'), rows(kept.map((n) => ['k', { n }])));
    await putRecords(log, topic('totals'), rows(totals));
    const faults = await wrong(log, 10);
    await log.close();
    return faults.length;
  };
  const right = [1, 2, 4, 5, 7, 8];
  assert.equal(await judged(right, sums), 0);
  for (const kept of [right.slice(1), [...right, 8], [...right, 3]]) assert.equal(await judged(kept, sums), 1);
  assert.equal(await judged(right, [...sums, ['2', 2]]), 1);
  assert.equal(await judged(right, sums.slice(1)), 1);
});
