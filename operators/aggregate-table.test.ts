import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, json, type Serde, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { stats, testProgram } from './testing/everything.ts';
import { missing, ROWS, rowUpdates } from './testing/table-inputs.fixture.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

const BY = { name: 'by', key: string(), value: int64(), partitions: 1 } as const;
const RUNS = { numRuns: 150, seed: 20267 };
type Sum = { count: number; sum: number; odd: boolean };
const whole = json<Sum>();

function out<V>(value: Serde<V>) {
  return topic('out', { key: string(), value, partitions: 1 });
}

/** Groups of the rows that are there now. */
function groups(data: readonly Datum[]): ReadonlyMap<string, readonly number[]> {
  const rows = new Map<unknown, number>();
  for (const { key, value } of data) {
    if (value === null) rows.delete(key);
    else rows.set(key, value as number);
  }
  const found = new Map<string, number[]>();
  for (const value of rows.values()) {
    const key = `g${value % 3}`;
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

function lastOf(task: TestTask): ReadonlyMap<unknown, unknown> {
  const last = new Map<unknown, unknown>();
  for (const { key, value } of task.written.items) last.set(key, value);
  return last;
}

for (const [form, serde] of Object.entries({ cells: stats as Serde<Sum>, bytes: whole })) {
  for (const inPlace of [true, false]) {
    test(`rows as ${form}, changed ${inPlace ? 'in place' : 'anew'}: each row is the sum of its group`, () => {
      const app = topology('aggregate-table');
      const change = (row: Sum, value: number, by: number): Sum | undefined => {
        const next = { count: row.count + by, sum: row.sum + by * value, odd: row.sum % 2 === 1 };
        if (!inPlace) return next;
        Object.assign(row, next);
        return undefined;
      };
      app
        .table(ROWS, { store: 'rows' })
        .groupBy((value) => [`g${value % 3}`, value], BY)
        .aggregate({
          store: 'sums',
          value: serde,
          initial: () => ({ count: 0, sum: 0, odd: false }),
          add: (row, value) => change(row, value, 1),
          subtract: (row, value) => change(row, value, -1),
        })
        .toStream()
        .to(out(serde));
      const program = testProgram(app.build());
      fc.assert(
        fc.property(rowUpdates, fc.nat(), (data, seed) => {
          const task = new TestTask(program, { ...missing(seed), olds: true });
          task.feed(...data);
          const now = groups(data);
          for (const [key, value] of lastOf(task)) {
            const values = now.get(key as string) ?? [];
            const { count, sum } = value as Sum;
            assert.deepEqual([count, sum], [values.length, values.reduce((a, b) => a + b, 0)]);
          }
          const last = new Map<unknown, unknown>();
          for (const { key, value, old } of task.written.items) {
            assert.deepEqual(old, last.get(key) ?? null);
            last.set(key, value);
          }
        }),
        RUNS,
      );
    });
  }
}

test('a subtractor that answers null deletes the row, and the next value begins anew', () => {
  const app = topology('aggregate-table');
  app
    .table(ROWS, { store: 'rows' })
    .groupBy((value) => [`g${value % 3}`, value], BY)
    .reduce({
      store: 'sums',
      value: int64(),
      add: (sum, value) => sum + value,
      subtract: (sum, value) => (sum === value ? (null as never) : sum - value),
    })
    .toStream()
    .to(out(int64()));
  const program = testProgram(app.build());
  fc.assert(
    fc.property(rowUpdates, fc.nat(), (data, seed) => {
      const positive = data.map((each) => ({
        ...each,
        value: each.value === null ? null : (each.value as number) + 1,
      }));
      const task = new TestTask(program, missing(seed));
      task.feed(...positive);
      const expected = [...groups(positive)].map(([key, values]) => [key, values.reduce((a, b) => a + b, 0)] as const);
      const last = [...lastOf(task)].filter(([, value]) => value !== null);
      assert.deepEqual(new Map(last), new Map(expected));
    }),
    RUNS,
  );
});

test('the time of a row is the largest that went into it', () => {
  const app = topology('aggregate-table');
  app
    .table(ROWS, { store: 'rows' })
    .groupBy((value) => ['all', value], BY)
    .count({ store: 'count' })
    .toStream()
    .to(out(int64()));
  const task = new TestTask(testProgram(app.build()));
  task.feed(
    { topic: 'rows', key: 'a', value: 1, timestamp: 5 },
    { topic: 'rows', key: 'b', value: 1, timestamp: 3 },
    { topic: 'rows', key: 'a', value: null, timestamp: 4 },
    { topic: 'rows', key: 'b', value: null, timestamp: 9 },
  );
  assert.deepEqual(
    task.written.items.map(({ value, timestamp }) => [value, timestamp]),
    [
      [1, 5],
      [2, 5],
      [1, 5],
      [0, 9],
    ],
  );
});
