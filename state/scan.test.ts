import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { garbageCollector } from './garbage.fixture.ts';
import { createStateBackend } from './state.ts';
import { TestTask } from './test-task.ts';

test('scans stay fast objects where garbage collections clear the first of them away', async () => {
  setFlagsFromString('--allow-natives-syntax');
  const collect = garbageCollector();
  const isFast = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean;
  const { sums } = await new TestTask(createStateBackend({}), undefined).open();
  for (let i = 0; i < 20; i++) {
    assert.ok(isFast(sums.scan(0)), `scan ${i}`);
    collect();
    // a map that nobody uses is let go at the second collection
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
});
