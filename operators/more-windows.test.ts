import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, type Serde, sessionWindowed, string, type Windowed, windowed } from '../schemas/schemas.ts';
import {
  calendar,
  counts,
  cumulative,
  custom,
  type Merging,
  type Stream,
  topic,
  topology,
  unlimited,
  type WindowSpan,
  type Windows,
} from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

interface Event {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
}

const HOUR = 3_600_000;

const events = (step: number, disorder: number) =>
  fc
    .array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'ba'),
        value: fc.integer({ min: 1, max: 9 }),
        later: fc.nat(step),
        back: fc.nat(disorder),
      }),
      { maxLength: 40, size: 'max' },
    )
    .map((rows) => {
      let clock = 0;
      return rows.map(({ key, value, later, back }): Event => {
        clock += later;
        return { key, value, timestamp: Math.max(0, clock - back) };
      });
    });

interface Result {
  readonly updates: number;
  readonly finals: readonly Datum[];
  readonly late: number;
}

function run(
  windows: Windows<number, string, Merging>,
  keys: Serde<Windowed<string>>,
  input: readonly Event[],
): Result {
  const app = topology('more');
  const stream = app.stream(topic('in', { key: string(), value: int64(), partitions: 1 })) as Stream<string, number, 1>;
  const table = stream
    .groupByKey()
    .window(windows)
    .reduce({ store: 's', value: int64(), add: (a, b) => a + b });
  const out = (name: string) => topic(name, { key: keys, value: int64(), partitions: 1 });
  table.toStream().to(out('updates'));
  table.suppress().toStream().to(out('finals'));
  const task = new TestTask(testProgram(app.build()));
  task.feed(...input.map((event): Datum => ({ topic: 'in', ...event })));
  task.end();
  const written = (name: string) => task.written.items.filter((datum) => datum.topic === name);
  const late = task.dropped.items.filter(({ reason }) => reason === 'late').length;
  return { updates: written('updates').length, finals: written('finals'), late };
}

/** Windows that a list of spans tells of each time, from the whole list. */
function model(spansOf: (event: Event) => readonly WindowSpan[], grace: number, input: readonly Event[]): Result {
  const rows = new Map<string, Datum & { readonly key: Windowed<string>; readonly value: number }>();
  let clock = -1;
  let late = 0;
  let updates = 0;
  for (const event of input) {
    clock = Math.max(clock, event.timestamp);
    for (const { start, end } of spansOf(event)) {
      if (end + grace <= clock) {
        late++;
        continue;
      }
      const id = `${event.key} ${start} ${end}`;
      const key = { key: event.key, start, end };
      const old = rows.get(id);
      rows.set(id, {
        topic: 'finals',
        key,
        value: (old?.value ?? 0) + event.value,
        timestamp: Math.max(old?.timestamp ?? 0, event.timestamp),
      });
      updates++;
    }
  }
  const finals = [...rows.values()].sort(
    (a, b) => a.key.end - b.key.end || a.key.start - b.key.start || (a.key.key < b.key.key ? -1 : 1),
  );
  return { finals, updates, late };
}

const RUNS = { numRuns: 150, seed: 5 };
const keys = sessionWindowed(string());

test('cumulative windows start together and grow by a step', () => {
  const shapes = fc.record({
    step: fc.integer({ min: 1, max: 5 }),
    times: fc.integer({ min: 1, max: 4 }),
    grace: fc.nat(6),
  });
  fc.assert(
    fc.property(shapes, events(6, 15), ({ step, times, grace }, input) => {
      const max = step * times;
      const spansOf = ({ timestamp }: Event) => {
        const start = Math.floor(timestamp / max) * max;
        return Array.from({ length: times }, (_, i) => ({ start, end: start + (i + 1) * step })).filter(
          ({ end }) => end > timestamp,
        );
      };
      assert.deepEqual(run(cumulative({ step, max, grace }), keys, input), model(spansOf, grace, input));
    }),
    RUNS,
  );
});

test('calendar windows are the days that a zone shows', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata');
  fc.assert(
    fc.property(zones, fc.nat(40), events(9 * HOUR, 30 * HOUR), (timeZone, days, input) => {
      const moved = input.map((event) => ({ ...event, timestamp: event.timestamp + Date.UTC(2026, 2, days) }));
      const dateOf = (at: number) => new Date(at).toLocaleDateString('en', { timeZone });
      const spansOf = ({ timestamp }: Event) => {
        const hour = Math.floor(timestamp / HOUR) * HOUR;
        const half = HOUR / 2;
        let start = hour;
        while (dateOf(start - 1) === dateOf(timestamp)) start -= half;
        while (dateOf(start) !== dateOf(timestamp)) start += half;
        let end = hour + half;
        while (dateOf(end) === dateOf(timestamp)) end += half;
        return [{ start, end }];
      };
      const windows = calendar({ unit: 'day', timeZone, grace: HOUR });
      assert.deepEqual(run(windows, keys, moved), model(spansOf, HOUR, moved));
    }),
    { numRuns: 40, seed: 5 },
  );
});

test('an unlimited window begins at its start and is final when the input ends', () => {
  fc.assert(
    fc.property(fc.nat(60), events(6, 15), (start, input) => {
      const unlimitedKeys = windowed(string(), Number.POSITIVE_INFINITY);
      const spansOf = ({ timestamp }: Event) => (timestamp < start ? [] : [{ start, end: Number.POSITIVE_INFINITY }]);
      assert.deepEqual(run(unlimited({ start }), unlimitedKeys, input), model(spansOf, 0, input));
    }),
    RUNS,
  );
});

test('count windows hold so many records of a key, one beginning with every so many', () => {
  const shapes = fc.record({ size: fc.integer({ min: 1, max: 6 }), every: fc.integer({ min: 1, max: 6 }) });
  fc.assert(
    fc.property(shapes, events(6, 15), ({ size, every: wanted }, input) => {
      const every = Math.min(size, wanted);
      const finals: Datum[] = [];
      const seen = new Map<string, Event[]>();
      let updates = 0;
      for (const event of input) {
        const own = seen.get(event.key) ?? [];
        own.push(event);
        seen.set(event.key, own);
        for (let start = 0; start < own.length; start += every) {
          if (start + size < own.length) continue;
          updates++;
          if (start + size > own.length) continue;
          const full = own.slice(start, start + size);
          const value = full.reduce((sum, each) => sum + each.value, 0);
          const timestamp = Math.max(...full.map((each) => each.timestamp));
          finals.push({ topic: 'finals', key: { key: event.key, start, end: start + size }, value, timestamp });
        }
      }
      assert.deepEqual(run(counts({ size, every }), keys, input), { updates, finals, late: 0 });
    }),
    RUNS,
  );
});

test('custom windows are those that are assigned, and close when they are told to', () => {
  fc.assert(
    fc.property(fc.nat(6), events(6, 15), (wait, input) => {
      const spansOf = ({ timestamp, value }: Event) => [
        { start: timestamp - (timestamp % 4), end: timestamp - (timestamp % 4) + 4 + value },
        { start: timestamp, end: timestamp + 2 },
      ];
      const assign = (time: number, value: number) => spansOf({ timestamp: time, value, key: '' });
      const windows = custom<number, string>({ name: 'own', assign, close: ({ end }) => end + wait });
      assert.deepEqual(run(windows, keys, input), model(spansOf, wait, input));
      assert.deepEqual(
        run(custom<number, string>({ name: 'own', assign, grace: wait }), keys, input),
        model(spansOf, wait, input),
      );
    }),
    RUNS,
  );
});
