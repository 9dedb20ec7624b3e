import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError, openEngine, run } from '../../index.ts';
import { appendRecords } from '../../runtime/append-records.testing.ts';
import { asked, numbers, prices } from './fixtures.ts';

async function start(settings: { readonly workers: number; readonly commitIntervalMs: number }) {
  const engine = await openEngine({ log: 'memory' });
  const module = { url: new URL('./fixtures.ts', import.meta.url).href, name: 'asked' };
  for (const { name, partitions } of [numbers, prices]) await engine.log.admin.create(name, { partitions });
  return { engine, running: await run(asked, { engine, module, settings }) };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const isTransient = (thrown: unknown) => {
    if (isFlowError(thrown, 'query.restoring') || isFlowError(thrown, 'query.elsewhere')) return false;
    throw thrown;
  };
  while (!(await holds().catch(isTransient))) await systemClock.sleep(20);
}

for (const workers of [1, 2]) {
  test(`questions reach the thread that owns the key's partition, of ${workers}`, { timeout: 600_000 }, async () => {
    const { engine, running } = await start({ workers, commitIntervalMs: 10 });
    const counts = running.query.store<string, number>('counts');
    const keys = Array.from({ length: 40 }, (_, n) =>
      `k${String(n).padStart(2, '0')}`.padEnd(n % 3 === 0 ? 40 : 3, '-'),
    );
    await appendRecords(
      engine.log,
      numbers,
      [...keys, ...keys].map((key, n) => [key, n, n]),
    );
    const whole = async (read: 'live' | 'committed') => {
      const found = await counts.range(undefined, undefined, { read, limit: 100 });
      return found.length === keys.length && found.every(([, count]) => count === 2);
    };
    await until(() => whole('live'));
    await until(() => whole('committed'));
    for (const key of keys) assert.equal(await counts.get(key, { read: 'committed' }), 2);
    const page = await counts.range(keys[3], keys[30], { read: 'live', limit: 3, after: keys[6]! });
    assert.deepEqual(
      page,
      keys.slice(7, 10).map((key) => [key, 2]),
    );
    assert.ok(running.progress().recordsByWorker.length === workers);
    await running.drain();
    await engine.close();
  });

  test(`the committed version of a row is not that of the epoch at hand, of ${workers}`, {
    timeout: 600_000,
  }, async () => {
    const { engine, running } = await start({ workers, commitIntervalMs: 1_000_000 });
    const store = running.query.store<string, number>('prices');
    await appendRecords(engine.log, prices, [['a', 1, 1000]]);
    await until(async () => (await store.get('a', { read: 'live' })) === 1);
    await until(async () => (await store.get('a', { read: 'committed' })) === 1);
    await appendRecords(engine.log, prices, [['a', 2, 2000]]);
    await until(async () => (await store.get('a', { read: 'live' })) === 2);
    assert.equal(await store.get('a', { read: 'committed' }), 1);
    assert.deepEqual(await store.asOf('a', 2000, { read: 'committed' }), { value: 1, validFrom: 1000, validTo: null });
    await running.drain();
    await engine.close();
  });
}
