import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine, run } from '../../index.ts';
import { readTopic } from '../support/read-topic.ts';
import { by1, by2, by7, expectedTotals, outOf } from './fixtures.ts';

const APPLICATIONS = { by1, by2, by7 };
const PARTITIONS = { by1: 1, by2: 2, by7: 7 } as const;

test('at least once gives them too, where nothing fails', { timeout: 600_000 }, async () => {
  const engine = await openEngine({ log: 'memory' });
  const settings = { guarantee: 'at-least-once', sliceRecords: 100, commitIntervalMs: 5 } as const;
  const running = await run(by7, { engine, settings });
  assert.equal((await running.finished).how, 'complete');
  const totals = await readTopic(engine.log, outOf(7));
  assert.deepEqual(totals.map(({ key, value }) => `${key.key} ${key.start} ${value}`).sort(), expectedTotals());
  await engine.close();
});

for (const name of ['by1', 'by2', 'by7'] as const) {
  for (const workers of [1, 2, 4]) {
    test(`${PARTITIONS[name]} partitions over ${workers} workers give the same windows`, {
      timeout: 600_000,
    }, async () => {
      const engine = await openEngine({ log: 'memory' });
      const module = { url: new URL('./fixtures.ts', import.meta.url).href, name };
      const settings = { workers, sliceRecords: 100, commitIntervalMs: 5 };
      const running = await run(APPLICATIONS[name], { engine, settings, module });
      assert.equal((await running.finished).how, 'complete');
      const totals = await readTopic(engine.log, outOf(PARTITIONS[name]));
      assert.deepEqual(totals.map(({ key, value }) => `${key.key} ${key.start} ${value}`).sort(), expectedTotals());
      await engine.close();
    });
  }
}
