import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitOverWorkers } from './split-over-workers.ts';

const tasksOf = (count: number) => Array.from({ length: count }, (_, i) => `stage_${i}`);

test('workers keep their tasks and differ by at most one', () => {
  const first = splitOverWorkers(tasksOf(5), 2, new Map());
  const second = splitOverWorkers(tasksOf(6), 2, first);
  for (const [task, worker] of first) assert.equal(second.get(task), worker);
  const loads = [0, 1].map((worker) => [...second.values()].filter((each) => each === worker).length);
  assert.deepEqual(loads, [3, 3]);
});
