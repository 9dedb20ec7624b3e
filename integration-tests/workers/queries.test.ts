import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError, openEngine, run } from '../../index.ts';
import { appendRecords } from '../../runtime/append-records.testing.ts';
import { asked, numbers } from './fixtures.ts';

for (const workers of [1, 2]) {
  test(`questions reach the thread that owns the key's partition, of ${workers}`, { timeout: 60_000 }, async () => {
    const engine = await openEngine({ log: 'memory' });
    const module = { url: new URL('./fixtures.ts', import.meta.url).href, name: 'asked' };
    await engine.log.admin.create('numbers', { partitions: 4 });
    const running = await run(asked, { engine, module, settings: { workers, commitIntervalMs: 10 } });
    const counts = running.query.store<string, number>('counts');
    const keys = Array.from({ length: 40 }, (_, n) => `k${String(n).padStart(2, '0')}`);
    await appendRecords(
      engine.log,
      numbers,
      [...keys, ...keys].map((key, n) => [key, n, n]),
    );
    const whole = async (read: 'live' | 'committed') => {
      const found = await counts.range(undefined, undefined, { read, limit: 100 });
      return found.length === keys.length && found.every(([, count]) => count === 2);
    };
    const ready = async () =>
      whole('live').catch((thrown: unknown) => {
        if (isFlowError(thrown, 'query.restoring') || isFlowError(thrown, 'query.elsewhere')) return false;
        throw thrown;
      });
    while (!(await ready())) await engine.clock.sleep(20);
    assert.ok(await whole('committed'));
    for (const key of keys) assert.equal(await counts.get(key, { read: 'committed' }), 2);
    const page = await counts.range('k05', 'k30', { read: 'live', limit: 3, after: 'k07' });
    assert.deepEqual(page, [
      ['k08', 2],
      ['k09', 2],
      ['k10', 2],
    ]);
    assert.ok(running.progress().recordsByWorker.length === workers);
    await running.drain();
    await engine.close();
  });
}
