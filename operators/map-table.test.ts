import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { missing, ROWS, rowUpdates } from './testing/table-inputs.fixture.ts';
import { TestTask } from './testing/test-task.ts';

const OUT = topic('out', { key: string(), value: string(), partitions: 1 });

for (const kept of [{}, { store: 'texts', value: string() }]) {
  test(`each row anew, with the one that it replaces; null deletes: ${JSON.stringify(Object.keys(kept))}`, () => {
    const app = topology('map-table');
    app
      .table(ROWS, { store: 'rows' })
      .mapValues((value, key) => (value % 3 === 0 ? null : `${key}${value}`), kept)
      .toStream()
      .to(OUT);
    const program = testProgram(app.build());
    fc.assert(
      fc.property(rowUpdates, fc.nat(), (data, seed) => {
        const task = new TestTask(program, { ...missing(seed), olds: true });
        task.feed(...data);
        const last = new Map<unknown, unknown>();
        const expected = data.map(({ key, value, timestamp }) => {
          const row = value === null || (value as number) % 3 === 0 ? null : `${key}${value}`;
          const old = last.get(key) ?? null;
          last.set(key, row);
          return { topic: 'out', key, value: row, timestamp, old };
        });
        assert.deepEqual(task.written.items, expected);
      }),
      { numRuns: 150, seed: 20264 },
    );
  });
}

test('the function is not asked about deletions', () => {
  const app = topology('map-table');
  app
    .table(ROWS, { store: 'rows' })
    .mapValues((value) => value.toFixed(1))
    .toStream()
    .to(OUT);
  const task = new TestTask(testProgram(app.build()));
  task.feed({ topic: 'rows', key: 'a', value: null, timestamp: 1 });
  assert.deepEqual(task.written.items, [{ topic: 'out', key: 'a', value: null, timestamp: 1 }]);
});
