import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { checkStream, IN, NUMBERS, numbered } from './testing/one-stream.fixture.ts';
import { TestTask } from './testing/test-task.ts';

test('every record is shown to the function, in order, with its key where that is asked for', () => {
  fc.assert(
    fc.property(numbered, (data) => {
      const values: unknown[] = [];
      const pairs: unknown[] = [];
      const app = topology('for-each');
      const stream = app.stream(IN);
      stream.forEach((value) => void values.push(value));
      stream.filter((value) => value !== null).forEach((value, key) => void pairs.push([key, value]));
      const task = new TestTask(testProgram(app.build()));
      task.feed(...data);
      assert.deepEqual(
        values,
        data.map(({ value }) => value),
      );
      assert.deepEqual(
        pairs,
        data.flatMap(({ key, value }) => (value === null ? [] : [[key, value]])),
      );
      assert.deepEqual(task.written.items, []);
    }),
    { numRuns: 60, seed: 506 },
  );
});

test('nothing goes on from it, and what hangs beside it is not moved', () => {
  checkStream(
    (stream) => {
      assert.equal(
        stream.forEach(() => {}),
        undefined,
      );
      stream.to(NUMBERS);
    },
    ({ key, value }) => [{ topic: 'numbers', key, value }],
  );
});
