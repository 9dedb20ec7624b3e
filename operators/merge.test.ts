import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { checkStream, IN, NUMBERS } from './testing/one-stream.fixture.ts';
import { TestTask } from './testing/test-task.ts';

test('of one stream in two forms each record comes in both, in the order in which they were written', () => {
  checkStream(
    (stream) =>
      stream
        .mapValues((value) => value + 1)
        .merge(stream.filter((value) => value > 0))
        .to(NUMBERS),
    ({ key, value }) => [
      { topic: 'numbers', key, value: value + 1 },
      ...(value > 0 ? [{ topic: 'numbers', key, value } as const] : []),
    ],
  );
});

test('the records of two topics come in the order of processing', () => {
  const app = topology('merge');
  const more = topic('more', { key: string(), value: int64(), partitions: 1 });
  app.stream(IN).merge(app.stream(more)).to(NUMBERS);
  const task = new TestTask(testProgram(app.build()));
  const data = ['in', 'more', 'more', 'in'].map((name, n) => ({ topic: name, key: 'a', value: n, timestamp: 9 - n }));
  task.feed(...data);
  assert.deepEqual(
    task.written.items,
    data.map((each) => ({ ...each, topic: 'numbers' })),
  );
});
