import assert from 'node:assert/strict';
import { test } from 'node:test';
import { garbageCollector } from './garbage.fixture.ts';
import { createStateBackend } from './state.ts';
import { TestTask } from './test-task.ts';

/** Too long to lie within a row. */
const LONG = 'a key of more than twelve bytes, ';

/** Fills a pane, commits, drops it. */
async function passPane(task: TestTask, pane: number, rows: number, key: string): Promise<void> {
  for (let i = 0; i < rows; i++) await task.run(() => task.put(pane, key + i, `a value of pane ${pane}, row ${i}`));
  task.commit();
  await task.run(() => task.pages.dropPane(pane));
  task.commit();
}

for (const key of ['k', LONG]) {
  test(`windows that come and go take no more memory than those there are, keys like "${key}"`, async () => {
    const task = await new TestTask(createStateBackend({}), undefined).open();
    for (let pane = 0; pane < 3; pane++) await passPane(task, pane, 3000, key);
    const before = task.state.figures;
    for (let pane = 3; pane < 12; pane++) await passPane(task, pane, 3000, key);
    const after = task.state.figures;
    assert.ok(after.hotRows <= before.hotRows + 2000, `${after.hotRows} rows, ${before.hotRows} before`);
    assert.ok(after.hotBytes <= before.hotBytes * 1.5, `${after.hotBytes} bytes, ${before.hotBytes} before`);

    await task.run(() => task.put(99, `${key}0`, 'kept'));
    assert.equal(await task.run(() => task.get(11, `${key}0`)), undefined);
    assert.deepStrictEqual(await task.run(() => task.rows(99)), [`${key}0=kept`]);
    await task.state.close();
    assert.equal(task.budget.usedBytes, 0);
  });
}

test('many windows of one row each take a small page each', async () => {
  const task = await new TestTask(createStateBackend({}), undefined).open();
  const collect = garbageCollector();
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (let pane = 0; pane < 5000; pane++) await task.run(() => task.put(pane, 'k', 'v'));
  collect();
  const bytes = process.memoryUsage().arrayBuffers - before;
  // pages of 2 KiB, and little besides
  assert.ok(bytes < 5000 * 2200, `${bytes} bytes`);
  assert.equal(await task.run(() => task.get(4999, 'k')), 'v');
  await task.state.close();
});
