import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { missing, ROWS, rowUpdates } from './testing/table-inputs.fixture.ts';
import { type TestProgram, TestTask } from './testing/test-task.ts';

const OUT = topic('out', { key: string(), value: int64(), partitions: 1 });
const isOdd = (value: number) => value % 2 === 1;
const RUNS = { numRuns: 150, seed: 20263 };

interface Options {
  readonly store?: string;
  readonly not?: boolean;
  readonly deletions?: 'known' | 'all';
  /** Something behind the filter asks for old values. */
  readonly asked?: boolean;
}

function tables({ not = false, asked = false, ...options }: Options): TestProgram {
  const app = topology('filter-table');
  const table = app.table(ROWS, { store: 'rows' });
  const odd = not
    ? table.filterNot((value, key) => !isOdd(value) || key === '', options)
    : table.filter(isOdd, options);
  odd.toStream().to(OUT);
  const other = app.table(topic('other', { key: string(), value: int64(), partitions: 1 }), { store: 'other' });
  if (asked) odd.leftJoinTable(other, { merge: (value) => value, name: 'ask' });
  return testProgram(app.build());
}

const taken = (value: unknown) => (value !== null && isOdd(value as number) ? value : null);

for (const options of [{}, { not: true }, { store: 'odd' }]) {
  test(`with all deletions each update goes on: ${JSON.stringify(options)}`, () => {
    const program = tables({ ...options, deletions: 'all' });
    fc.assert(
      fc.property(rowUpdates, fc.nat(), (data, seed) => {
        const task = new TestTask(program, missing(seed));
        task.feed(...data);
        const expected = data.map((row) => ({ ...row, topic: 'out', value: taken(row.value) }));
        assert.deepEqual(task.written.items, expected);
      }),
      RUNS,
    );
  });
}

const KNOWN: readonly Options[] = [
  {},
  { not: true },
  { store: 'odd' },
  { deletions: 'all', asked: true },
  { deletions: 'all', asked: true, store: 'odd' },
];

for (const options of KNOWN) {
  test(`no deletion of nothing goes on: ${JSON.stringify(options)}`, () => {
    const program = tables(options);
    fc.assert(
      fc.property(rowUpdates, fc.nat(), (data, seed) => {
        for (const olds of [false, true]) {
          const task = new TestTask(program, { ...missing(seed), olds });
          task.feed(...data);
          const last = new Map<unknown, unknown>();
          const expected = data.flatMap((row) => {
            const old = last.get(row.key) ?? null;
            const value = taken(row.value);
            last.set(row.key, value);
            if (value === null && old === null) return [];
            return [{ ...row, topic: 'out', value, ...(olds ? { old } : {}) }];
          });
          assert.deepEqual(task.written.items, expected);
        }
      }),
      RUNS,
    );
  });
}

test('behind a table with history every update goes on', () => {
  const app = topology('filter-table');
  app.table(ROWS, { store: 'rows', history: 100 }).filter(isOdd).toStream().to(OUT);
  const task = new TestTask(testProgram(app.build()));
  const row = (value: number | null, timestamp: number) => ({ topic: 'rows', key: 'a', value, timestamp });
  task.feed(row(2, 5), row(3, 8), row(4, 6), row(null, 9), row(null, 9));
  assert.deepEqual(
    task.written.items.map(({ value, timestamp }) => [value, timestamp]),
    [
      [null, 5],
      [3, 8],
      [null, 6],
      [null, 9],
      [null, 9],
    ],
  );
});
