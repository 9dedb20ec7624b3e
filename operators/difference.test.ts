import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, type Serde, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, type TestProgram, TestTask } from './testing/test-task.ts';

/** Numbers lie in cells, texts in bytes: both are run, and agree. */
function program(within: number | undefined, form: 'cells' | 'bytes'): TestProgram {
  const app = topology('differences');
  const in_ = topic('in', { key: string(), value: int64(), partitions: 1 });
  const out = topic('out', { key: string(), value: int64(), partitions: 1 });
  const options = { store: 'newest', ...(within === undefined ? {} : { within }) };
  const stream = app.stream(in_);
  if (form === 'cells') {
    stream.difference({ ...options, fn: (value, previous) => value - previous }).to(out);
  } else {
    const value: Serde<string> = string();
    stream
      .filterNot((each) => each === null)
      .mapValues(String)
      .difference({ ...options, value, fn: (text, previous) => Number(text) - Number(previous) })
      .to(out);
  }
  return testProgram(app.build());
}

function datum(key: string | null, value: number | null, timestamp: number): Datum {
  return { topic: 'in', key, value, timestamp };
}

test('each record is compared with the one before it in time', () => {
  const task = new TestTask(program(undefined, 'cells'));
  task.feed(
    datum('a', 1, 0),
    datum('b', 5, 1),
    datum('a', 4, 2),
    datum('a', 9, 1),
    datum('a', 6, 2),
    datum('b', 1, 99),
  );
  assert.deepEqual(
    task.written.items.map(({ key, value, timestamp }) => [key, value, timestamp]),
    [
      ['a', 3, 2],
      ['a', 2, 2],
      ['b', -4, 99],
    ],
  );
  assert.deepEqual(task.dropped.items, [{ node: 'difference:newest', reason: 'late' }]);
});

test('a record that is too old is no previous one', () => {
  const task = new TestTask(program(10, 'cells'));
  task.feed(datum('a', 1, 0), datum('a', 2, 10), datum('a', 4, 19), datum('b', 0, 60));
  assert.deepEqual(
    task.written.items.map(({ value }) => value),
    [2],
  );
  assert.deepEqual(task.table('newest').panes(), [60]);
});

interface Verdicts {
  readonly values: readonly number[];
  readonly late: number;
}

function naive(data: readonly Datum[], within: number): Verdicts {
  const newest = new Map<unknown, Datum>();
  const values: number[] = [];
  let clock = -1;
  let late = 0;
  for (const each of data) {
    clock = Math.max(clock, each.timestamp);
    if (each.key === null || each.value === null) continue;
    const previous = newest.get(each.key);
    const isOlder = previous !== undefined && previous.timestamp > each.timestamp;
    if (each.timestamp + within <= clock || isOlder) {
      late++;
      continue;
    }
    if (previous !== undefined && previous.timestamp + within > each.timestamp)
      values.push((each.value as number) - (previous.value as number));
    newest.set(each.key, each);
  }
  return { values, late };
}

test('it gives what a look at the whole list gives, under cold reads, commits and crashes too', () => {
  const rows = fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', null),
      value: fc.option(fc.nat(99), { freq: 8 }),
      later: fc.integer({ min: -8, max: 12 }),
    }),
    { maxLength: 40, size: 'max' },
  );
  const spans = fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined });
  fc.assert(
    fc.property(rows, spans, fc.nat(), (steps, within, seed) => {
      let time = 10;
      const data = steps.map(({ key, value, later }) => {
        time = Math.max(0, time + later);
        return datum(key, value, time);
      });
      const plain = runPlainly(program(within, 'cells'), data);
      const expected = naive(data, within ?? Number.POSITIVE_INFINITY);
      assert.deepEqual(
        plain.written.items.map(({ value }) => value),
        expected.values,
      );
      assert.equal(plain.dropped.items.filter(({ reason }) => reason === 'late').length, expected.late);
      const values = data.filter(({ value }) => value !== null);
      const texts = runPlainly(program(within, 'bytes'), values);
      assert.deepEqual(texts.written.items, runPlainly(program(within, 'cells'), values).written.items);
      for (const form of ['cells', 'bytes'] as const) {
        const calm = runPlainly(program(within, form), values);
        assert.deepEqual(outcomeOf(runDisturbed(program(within, form), values, seed)), outcomeOf(calm));
      }
    }),
    { numRuns: 150, seed: 9 },
  );
});
