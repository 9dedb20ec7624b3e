import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, json, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { missing, ROWS, rowUpdates } from './testing/table-inputs.fixture.ts';
import { TestTask } from './testing/test-task.ts';

const PARITY = { name: 'by-parity', key: string(), value: int64(), partitions: 1 } as const;
const whole = json<readonly string[]>();

/** What comes to the aggregate, one line a change. */
test('an update takes its old row away, then brings the new one; of one key in one record', () => {
  const app = topology('group-table');
  const lines: string[] = [];
  app
    .table(ROWS, { store: 'rows' })
    .groupBy((value) => [value === 0 ? null : `g${value % 2}`, value === 1 ? null : value], PARITY)
    .aggregate({
      store: 'lines',
      value: whole,
      initial: () => [],
      add: (all, value, key) => [...all, `${key}+${value}`],
      subtract: (all, value, key) => [...all, `${key}-${value}`],
    })
    .toStream()
    .peek((all) => {
      lines.push(all === null ? 'none' : all.slice(-2).join(' '));
    });
  const task = new TestTask(testProgram(app.build()));
  const put = (value: number | null) => {
    lines.length = 0;
    task.feed({ topic: 'rows', key: 'a', value, timestamp: 1 });
    return lines.join(', ');
  };
  assert.equal(put(2), 'g0+2');
  assert.equal(put(4), 'g0-2 g0+4');
  assert.equal(put(5), 'g0+4 g0-4, g1+5');
  assert.equal(put(0), 'g1+5 g1-5');
  assert.equal(put(3), 'g1-5 g1+3');
  assert.equal(put(1), 'g1+3 g1-3');
  assert.equal(put(null), '');
  assert.equal(put(7), 'g1-3 g1+7');
  assert.equal(put(null), 'g1+7 g1-7');
});

test('keys are compared by their bytes, and the old row goes first', () => {
  const app = topology('group-table');
  app
    .table(ROWS, { store: 'rows' })
    .groupBy((value) => [{ parity: value % 2 }, value], {
      ...{ name: 'by-object', value: int64(), partitions: 1 },
      key: json<{ parity: number }>(),
    })
    .count({ store: 'counts' })
    .toStream()
    .to(topic('out', { key: json<{ parity: number }>(), value: int64(), partitions: 1 }));
  const program = testProgram(app.build());
  fc.assert(
    fc.property(rowUpdates, fc.nat(), (data, seed) => {
      const task = new TestTask(program, missing(seed));
      task.feed(...data);
      const rows = new Map<unknown, number>();
      const counts = [0, 0];
      const expected: unknown[] = [];
      const note = (parity: number) => expected.push([parity, counts[parity]]);
      for (const { key, value } of data) {
        const old = rows.get(key);
        if (old !== undefined) counts[old % 2]!--;
        if (old !== undefined && (value === null || (value as number) % 2 !== old % 2)) note(old % 2);
        if (value === null) rows.delete(key);
        else {
          rows.set(key, value as number);
          counts[(value as number) % 2]!++;
          note((value as number) % 2);
        }
      }
      const written = task.written.items.map(({ key, value }) => [(key as { parity: number }).parity, value]);
      assert.deepEqual(written, expected);
    }),
    { numRuns: 150, seed: 20266 },
  );
});
