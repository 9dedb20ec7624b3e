import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

const EVENTS = topic('events', { key: string(), value: string(), partitions: 1 });
const ROWS = topic('rows', { key: int64(), value: int64(), partitions: 3 });
const OUT = topic('out', { key: string(), value: string(), partitions: 1 });

/** An event is `<key>|<text>`; a dash names no row. */
function named(value: string): number | null {
  const [key] = value.split('|');
  return key === '-' ? null : Number(key);
}

function program(how: 'inner' | 'left') {
  const app = topology('global');
  const rows = app.globalTable(ROWS, { store: 'rows' });
  const merge = (value: string, row: number | null, key: string | null) => `${key} ${value}+${row}`;
  const events = app.stream(EVENTS);
  (how === 'inner'
    ? events.joinGlobal(rows, { key: named, merge })
    : events.leftJoinGlobal(rows, { key: named, merge })
  ).to(OUT);
  return testProgram(app.build());
}

const PROGRAMS = { inner: program('inner'), left: program('left') };

const inputs = fc.array(
  fc
    .record({
      rows: fc.boolean(),
      key: fc.constantFrom('a', 'b', null),
      row: fc.constantFrom(1, 2, null),
      value: fc.option(fc.nat(9), { freq: 4 }),
      timestamp: fc.nat(20),
    })
    .map(({ rows, key, row, value, timestamp }): Datum => {
      if (rows) return { topic: 'rows', key: row ?? 3, value, timestamp };
      return { topic: 'events', key, value: value === null ? null : `${row ?? '-'}|${value}`, timestamp };
    }),
  { maxLength: 30, size: 'max' },
);

test('a record meets the row that it names as it stands then; rows come out for nobody', () => {
  fc.assert(
    fc.property(fc.constantFrom<'inner' | 'left'>('inner', 'left'), inputs, fc.nat(3), (how, data, every) => {
      const rows = new Map<unknown, unknown>();
      const expected: Datum[] = [];
      const drops: string[] = [];
      for (const { topic: name, key, value, timestamp } of data) {
        if (name === 'rows') {
          if (value === null) rows.delete(key);
          else rows.set(key, value);
          continue;
        }
        if (value === null) {
          drops.push('null-value');
          continue;
        }
        const at = named(value as string);
        if (at === null && how === 'inner') {
          drops.push('null-key');
          continue;
        }
        const row = rows.get(at) ?? null;
        if (row === null && how === 'inner') continue;
        expected.push({ topic: 'out', key, value: `${key} ${value}+${row}`, timestamp });
      }
      let reads = 0;
      const interrupt = (step: { miss(): never }) => {
        if (every > 0 && reads++ % 4 === every) step.miss();
      };
      const task = new TestTask(PROGRAMS[how], { interrupt });
      task.feed(...data);
      assert.deepEqual(task.written.items, expected);
      assert.deepEqual(
        task.dropped.items.map(({ reason }) => reason),
        drops,
      );
    }),
    { numRuns: 200, seed: 20261128 },
  );
});
