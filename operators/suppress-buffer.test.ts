import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFlowError } from '../core/errors.ts';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { type SuppressOptions, topic, topology, tumbling } from '../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, type TestProgram, TestTask } from './testing/test-task.ts';

const KEYED = { key: string(), partitions: 1 } as const;
const ROWS = topic('rows', { ...KEYED, value: string() });
const OUT = topic('out', { ...KEYED, value: string() });

type Options = SuppressOptions<string, string>;

function suppressed(options: Options): TestProgram {
  const app = topology('suppressed');
  app.table(ROWS, { store: 'rows' }).suppress(options).toStream().to(OUT);
  return testProgram(app.build());
}

function row(key: string | null, value: string | null, timestamp: number): Datum {
  return { topic: 'rows', key, value, timestamp };
}

function written(task: TestTask): readonly (readonly unknown[])[] {
  return task.written.items.map(({ key, value, timestamp }) => [key, value, timestamp]);
}

function feed(options: Options, ...data: readonly Datum[]): TestTask {
  const task = new TestTask(suppressed(options));
  task.feed(...data);
  return task;
}

const HOUR = 3_600_000;

test('a key waits from its first update, and comes out with its newest', () => {
  const task = feed({ untilTimeLimit: 10, store: 's' }, row('a', '1', 0), row('a', '2', 9), row('b', '3', 9));
  assert.deepEqual(written(task), []);
  task.feed(row('b', '4', 10));
  assert.deepEqual(written(task), [['a', '2', 9]]);
  task.feed(row('a', '5', 11), row('c', '6', 19));
  assert.deepEqual(written(task).slice(1), [['b', '4', 10]]);
});

test('rows that are due together come in order of time, then of key bytes', () => {
  const data = [row('b', '1', 5), row('a', '2', 5), row('ab', '3', 4), row('é', '4', 4), row('z', '5', HOUR)];
  assert.deepEqual(
    written(feed({ untilTimeLimit: 10, store: 's' }, ...data)).map(([key]) => key),
    ['ab', 'é', 'a', 'b'],
  );
});

test('the wait of an update that comes late counts from its own time', () => {
  const task = feed({ untilTimeLimit: 5, store: 's' }, row('a', '1', 10), row('b', '2', 3));
  assert.deepEqual(written(task), [['b', '2', 3]]);
});

test('deletions come out, also of keys that never did', () => {
  const task = feed({ untilTimeLimit: 2, store: 's' }, row('k', 'a', 0), row('k', null, 1), row('z', 'q', 10));
  assert.deepEqual(written(task), [['k', null, 1]]);
});

test('a full buffer lets the first in order out, though it is the one that came', () => {
  const options = { untilTimeLimit: HOUR, store: 's', maxRecords: 1 };
  const task = feed(options, row('a', '1', 5), row('a', '2', 6), row('b', '3', 1));
  assert.deepEqual(written(task), [['b', '3', 1]]);
  task.feed(row('c', '4', 9));
  assert.deepEqual(written(task).slice(1), [['a', '2', 6]]);
});

test('a buffer may be bounded in bytes', () => {
  const task = feed({ untilTimeLimit: HOUR, store: 's', maxBytes: 64 }, row('a', 'x', 1), row('b', 'y', 2));
  assert.deepEqual(written(task), []);
  task.feed(row('b', 'y'.repeat(60), 3));
  assert.deepEqual(written(task), [
    ['a', 'x', 1],
    ['b', 'y'.repeat(60), 3],
  ]);
});

test('a full buffer that may let nothing out fails, unless what is due makes room', () => {
  const options = { untilTimeLimit: 10, store: 's', maxRecords: 1, whenFull: 'fail' } as const;
  const task = feed(options, row('a', '1', 0), row('b', '2', 10));
  assert.deepEqual(written(task), [['a', '1', 0]]);
  assert.throws(
    () => task.feed(row('c', '3', 11)),
    (thrown) => isFlowError(thrown, 'suppress.full') && /holds 2 records of at most 1; raise/.test(thrown.message),
  );
});

test('null keys are dropped, and move time', () => {
  const task = feed({ untilTimeLimit: 5, store: 's' }, row('a', '1', 0));
  task.feed(row(null, 'x', HOUR), row('b', '2', 0));
  assert.deepEqual(task.dropped.items, [{ node: 'table:rows', reason: 'null-key' }]);
});

interface Held {
  readonly key: string;
  readonly time: number;
  value: string | null;
  timestamp: number;
}

/** The rule as one reads it: sort, look, take out. */
function naive(data: readonly Datum[], wait: number, maxRecords: number): readonly (readonly unknown[])[] {
  const out: (readonly unknown[])[] = [];
  let held: Held[] = [];
  let clock = -1;
  for (const datum of data) {
    if (datum.key === null) continue;
    const key = datum.key as string;
    const value = datum.value as string | null;
    const { timestamp } = datum;
    clock = Math.max(clock, timestamp);
    const known = held.find((each) => each.key === key);
    if (known === undefined) held.push({ key, time: timestamp, value, timestamp });
    else {
      known.value = value;
      known.timestamp = timestamp;
    }
    held.sort((a, b) => a.time - b.time || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    while (held.length > 0 && (held[0]!.time <= clock - wait || held.length > maxRecords)) {
      const [first, ...rest] = held;
      out.push([first!.key, first!.value, first!.timestamp]);
      held = rest;
    }
  }
  return [...out, ...held.map(({ key, value, timestamp }) => [key, value, timestamp])];
}

const updates = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'ab', 'b', 'é', 'z', null),
      value: fc.option(fc.constantFrom('x', 'yy', 'zzz'), { freq: 5 }),
      later: fc.integer({ min: -8, max: 10 }),
    }),
    { maxLength: 40, size: 'max' },
  )
  .map((rows) => {
    let time = 10;
    return rows.map(({ key, value, later }) => {
      time = Math.max(0, time + later);
      return row(key, value, time);
    });
  });

test('it does what a sorted list does, under cold reads, commits and crashes too', () => {
  fc.assert(
    fc.property(updates, fc.nat(20), fc.integer({ min: 1, max: 6 }), fc.nat(), (data, wait, most, seed) => {
      const program = suppressed({ untilTimeLimit: wait, store: 's', maxRecords: most });
      const plain = runPlainly(program, data);
      assert.deepEqual(written(plain), naive(data, wait, most));
      assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(plain));
      assert.equal(plain.number('suppressBuffer:s/records'), 0);
      assert.equal(plain.number('suppressBuffer:s/bytes'), 0);
    }),
    { numRuns: 200, seed: 5 },
  );
});

test('what comes out of a buffer has gone through the next one before more comes out', () => {
  const chain = (first: number, most: number, second: number): TestProgram => {
    const app = topology('chain');
    app
      .table(ROWS, { store: 'rows' })
      .suppress({ untilTimeLimit: first, store: 'first', maxRecords: most })
      .suppress({ untilTimeLimit: second, store: 'second' })
      .toStream()
      .to(OUT);
    return testProgram(app.build());
  };
  const waits = fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 6 }), fc.nat(12));
  fc.assert(
    fc.property(updates, waits, fc.nat(), (data, [first, most, second], seed) => {
      const program = chain(first, most, second);
      const between = naive(data, first, most).map(([key, value, time]) => {
        return row(key as string, value as string | null, time as number);
      });
      const plain = runPlainly(program, data);
      assert.deepEqual(written(plain), naive(between, second, Number.POSITIVE_INFINITY));
      assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(plain));
    }),
    { numRuns: 200, seed: 8 },
  );
});

test('where old values are asked for, what comes out replaces what came out before', () => {
  const app = topology('sums');
  app
    .table(topic('rows', { ...KEYED, value: int64() }), { store: 'rows' })
    .suppress({ untilTimeLimit: 10, store: 's', maxRecords: 3 })
    .groupBy((value) => ['all', value], { ...KEYED, name: 'by-nothing', value: int64() })
    .reduce({ store: 'sum', value: int64(), add: (sum, n) => sum + n, subtract: (sum, n) => sum - n })
    .toStream()
    .to(topic('out', { ...KEYED, value: int64() }));
  const program = testProgram(app.build());
  fc.assert(
    fc.property(updates, fc.nat(), (rows, seed) => {
      const data = rows.map((each) => ({ ...each, value: each.value === null ? null : String(each.value).length }));
      const last = new Map<unknown, number>();
      for (const { key, value } of data) if (key !== null) last.set(key, value ?? 0);
      const sum = [...last.values()].reduce((a, b) => a + b, 0);
      const task = runPlainly(program, data);
      assert.equal(task.written.items.at(-1)?.value ?? 0, sum);
      assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(task));
    }),
    { numRuns: 100, seed: 7 },
  );
});

test('final results may be filtered, mapped and held back again', () => {
  const app = topology('chain');
  app
    .stream(topic('events', { ...KEYED, value: int64() }))
    .groupByKey()
    .window(tumbling(10))
    .count({ store: 'counts' })
    .filter((count) => count > 1)
    .suppress({ untilWindowCloses: true, store: 'finals' })
    .mapValues((count) => count * 2)
    .filter((count) => count < 10)
    .suppress({ untilTimeLimit: 5, store: 'calm', value: int64() })
    .toStream()
    .filter((count): count is number => count !== null)
    .to(topic('out', { key: windowed(string(), 10), value: int64(), partitions: 1 }));
  const task = new TestTask(testProgram(app.build()));
  const event = (key: string, timestamp: number) => ({ topic: 'events', key, value: 1, timestamp });
  task.feed(event('a', 0), event('a', 1), event('b', 2), event('a', 11), event('a', 12));
  task.end();
  assert.deepEqual(
    task.written.items.map(({ key, value, timestamp }) => [(key as { start: number }).start, value, timestamp]),
    [
      [0, 4, 1],
      [10, 4, 12],
    ],
  );
});

test('windows that wait in a buffer come out as from their aggregate', () => {
  const events = topic('events', { ...KEYED, value: int64() });
  function finals(buffer: boolean): TestProgram {
    const app = topology('finals');
    const counts = app
      .stream(events)
      .groupByKey()
      .window(tumbling(8, { grace: 5 }))
      .count({ store: 'counts' });
    const out = topic('out', { key: windowed(string(), 8), value: int64(), partitions: 1 });
    const options = { untilWindowCloses: true, store: 'buffer', maxRecords: 1000 } as const;
    counts
      .suppress(buffer ? options : undefined)
      .toStream()
      .to(out);
    return testProgram(app.build());
  }
  fc.assert(
    fc.property(updates, fc.nat(), (rows, seed) => {
      const data = rows.flatMap(({ key, timestamp }) =>
        key === null ? [] : [{ topic: 'events', key, value: 1, timestamp }],
      );
      const expected = outcomeOf(runPlainly(finals(false), data));
      assert.deepEqual(outcomeOf(runPlainly(finals(true), data)), expected);
      assert.deepEqual(outcomeOf(runDisturbed(finals(true), data, seed)), expected);
    }),
    { numRuns: 100, seed: 6 },
  );
});
