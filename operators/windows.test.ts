import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, type Serde, string, type Windowed, windowed } from '../schemas/schemas.ts';
import { hopping, type PlainWindows, topic, topology, tumbling } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

interface Event {
  readonly key: string | null;
  readonly value: number;
  readonly timestamp: number;
}

const events = (disorder: number) =>
  fc
    .array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'ba', null),
        value: fc.nat(99),
        later: fc.nat(9),
        back: fc.nat(disorder),
      }),
      {
        maxLength: 60,
        size: 'max',
      },
    )
    .map((rows) => {
      let clock = 0;
      return rows.map(({ key, value, later, back }): Event => {
        clock += later;
        return { key, value, timestamp: Math.max(0, clock - back) };
      });
    });

type WindowSpec = PlainWindows<'tumbling'> | PlainWindows<'hopping'>;

const windows: fc.Arbitrary<WindowSpec> = fc
  .record({ size: fc.integer({ min: 1, max: 12 }), advance: fc.integer({ min: 1, max: 12 }), grace: fc.nat(8) })
  .map(({ size, advance, grace }) => (advance >= size ? tumbling(size, { grace }) : hopping(size, { advance, grace })));

interface Result {
  readonly updates: readonly Datum[];
  readonly finals: readonly Datum[];
  readonly late: number;
}

/** Sums in cells, texts in bytes: both are run, and agree. */
function run(window: WindowSpec, input: readonly Event[], form: 'cells' | 'bytes'): Result {
  const app = topology('windows');
  const source = topic('in', { key: string(), value: int64(), partitions: 1 });
  const grouped = app.stream(source).groupByKey().window(window);
  const out = <V>(name: string, value: Serde<V>) =>
    topic(name, { key: windowed(string(), window.sizeMs), value, partitions: 1 });
  if (form === 'cells') {
    const table = grouped.aggregate({
      store: 's',
      value: int64(),
      initial: () => 1000,
      add: (sum, value) => sum + (value ?? 0),
    });
    table.toStream().to(out('updates', int64()));
    table.suppress().toStream().to(out('finals', int64()));
  } else {
    const table = grouped.aggregate({
      store: 's',
      value: string(),
      initial: () => '1000',
      add: (sum, value) => String(Number(sum) + (value ?? 0)),
    });
    table.toStream().to(out('updates', string()));
    table.suppress().toStream().to(out('finals', string()));
  }
  const task = new TestTask(testProgram(app.build()));
  task.feed(...input.map((event): Datum => ({ topic: 'in', ...event })));
  task.end();
  const written = task.written.items.map((datum) => ({ ...datum, value: Number(datum.value) }));
  return {
    updates: written.filter(({ topic: name }) => name === 'updates'),
    finals: written.filter(({ topic: name }) => name === 'finals'),
    late: task.dropped.items.filter(({ reason }) => reason === 'late').length,
  };
}

/** Recomputes everything from the whole list, window by window. */
function naive(window: WindowSpec, input: readonly Event[]): { finals: Datum[]; updates: number; late: number } {
  const advance = window.type === 'tumbling' ? window.sizeMs : window.advanceMs;
  const rows = new Map<string, { key: Windowed<string>; value: number; timestamp: number }>();
  let clock = -1;
  let late = 0;
  let updates = 0;
  for (const { key, value, timestamp } of input) {
    clock = Math.max(clock, timestamp);
    if (key === null) continue;
    for (let start = 0; start <= timestamp; start += advance) {
      const end = start + window.sizeMs;
      if (timestamp >= end) continue;
      if (end + window.graceMs <= clock) {
        late++;
        continue;
      }
      const id = `${start} ${key}`;
      const row = rows.get(id) ?? { key: { key, start, end }, value: 1000, timestamp: 0 };
      rows.set(id, { ...row, value: row.value + value, timestamp: Math.max(row.timestamp, timestamp) });
      updates++;
    }
  }
  const finals = [...rows.values()]
    .sort((a, b) => a.key.start - b.key.start || Buffer.compare(Buffer.from(a.key.key), Buffer.from(b.key.key)))
    .map((row) => ({ topic: 'finals', ...row }));
  return { finals, updates, late };
}

const RUNS = { numRuns: 150, seed: 7 };

test('windowed aggregates equal a recomputation over the whole list, in cells and in bytes', () => {
  let late = 0;
  fc.assert(
    fc.property(windows, events(20), (window, input) => {
      const expected = naive(window, input);
      const cells = run(window, input, 'cells');
      assert.deepEqual(cells.finals, expected.finals);
      assert.equal(cells.updates.length, expected.updates);
      assert.equal(cells.late, expected.late);
      assert.deepEqual(run(window, input, 'bytes'), cells);
      late += cells.late;
    }),
    RUNS,
  );
  assert.ok(late > 100, `${late} late records`);
});

test('any order within grace gives the same finals', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), events(0), fc.infiniteStream(fc.nat(8)), (size, ordered, jitter) => {
      const grace = 8;
      const window = tumbling(size, { grace });
      const shifts = ordered.map(() => jitter.next().value as number);
      const shuffled = ordered
        .map((event, index) => ({ event, at: event.timestamp + shifts[index]! }))
        .sort((a, b) => a.at - b.at)
        .map(({ event }) => event);
      const result = run(window, shuffled, 'cells');
      assert.equal(result.late, 0);
      assert.deepEqual(result.finals, run(window, ordered, 'cells').finals);
    }),
    RUNS,
  );
});

test('the last update of a window is its final result', () => {
  fc.assert(
    fc.property(windows, events(20), (window, input) => {
      const { updates, finals } = run(window, input, 'cells');
      const last = new Map(
        updates.map(({ key, value, timestamp }) => [JSON.stringify(key), { key, value, timestamp }]),
      );
      assert.equal(finals.length, last.size);
      for (const { key, value, timestamp } of finals) {
        assert.deepEqual({ key, value, timestamp }, last.get(JSON.stringify(key)));
      }
    }),
    RUNS,
  );
});

test('windows near 2^52 milliseconds still start on multiples of their size', () => {
  const window = tumbling(7);
  for (const timestamp of [2 ** 51 - 1, 2 ** 52 - 5, 1_764_000_000_000, 6, 7]) {
    const { finals } = run(window, [{ key: 'a', value: 1, timestamp }], 'cells');
    const { start } = finals[0]!.key as Windowed<string>;
    assert.equal(start, Number(BigInt(timestamp) - (BigInt(timestamp) % 7n)));
  }
});
