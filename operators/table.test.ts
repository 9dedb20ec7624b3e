import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { ROWS, rowUpdates } from './testing/table-inputs.fixture.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

const OUT = topic('out', { key: string(), value: int64(), partitions: 1 });

function program() {
  const app = topology('table');
  app.table(ROWS, { store: 'rows' }).toStream().to(OUT);
  return testProgram(app.build());
}

/** The rows of a store, by key. */
function rowsOf(task: TestTask): readonly (readonly unknown[])[] {
  const scan = task.table('rows').scan(0);
  const rows: unknown[][] = [];
  while (scan.next()) rows.push([string().read(scan.key, scan.keyStart, scan.keyEnd), scan.timestamp]);
  return rows;
}

test('it holds the newest value of each key in order of arrival, and each update goes on with what it replaces', () => {
  fc.assert(
    fc.property(rowUpdates, fc.nat(), (data, seed) => {
      const newest = new Map<unknown, Datum>();
      const expected = data.map((row) => {
        const old = newest.get(row.key)?.value ?? null;
        if (row.value === null) newest.delete(row.key);
        else newest.set(row.key, row);
        return { ...row, topic: 'out', old };
      });
      const plain = runPlainly(program(), data);
      const task = new TestTask(program(), { olds: true });
      task.feed(...data);
      assert.deepEqual(task.written.items, expected);
      assert.deepEqual(
        plain.written.items,
        expected.map(({ old: _, ...row }) => row),
      );
      const rows = [...newest.values()].map(({ key, timestamp }) => [key, timestamp]);
      assert.deepEqual(outcomeOf(runDisturbed(program(), data, seed)), outcomeOf(plain));
      for (const each of [plain, task]) {
        assert.deepEqual(
          rowsOf(each),
          rows.sort(([a], [b]) => Buffer.compare(bytes(a), bytes(b))),
        );
      }
    }),
    { numRuns: 100, seed: 507 },
  );
});

const bytes = (key: unknown) => Buffer.from(key as string);

test('a record without a key is counted', () => {
  const task = new TestTask(program());
  task.feed({ topic: 'rows', key: null, value: 1, timestamp: 0 }, { topic: 'rows', key: '', value: 2, timestamp: 0 });
  assert.deepEqual(task.dropped.items, [{ node: 'table:rows', reason: 'null-key' }]);
  assert.deepEqual(rowsOf(task), [['', 0]]);
});
