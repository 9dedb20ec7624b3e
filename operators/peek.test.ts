import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { checkStream, IN, NUMBERS } from './testing/one-stream.fixture.ts';
import { TestTask } from './testing/test-task.ts';

test('each record goes on as it came', () => {
  checkStream(
    (stream) => stream.peek(() => {}).to(NUMBERS),
    ({ key, value }) => [{ topic: 'numbers', key, value }],
  );
});

test('it is shown to the function before it goes on, with its key where that is asked for', () => {
  const seen: unknown[] = [];
  const app = topology('peek');
  app
    .stream(IN)
    .peek((value) => seen.push(value))
    .peek((value, key) => seen.push(`${key}${value}`))
    .mapValues((value) => seen.push('then') + value)
    .to(NUMBERS);
  const task = new TestTask(testProgram(app.build()));
  task.feed({ topic: 'in', key: 'a', value: 7, timestamp: 1 });
  assert.deepEqual(seen, [7, 'a7', 'then']);
});
