import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, type Serde, sessionWindowed, string, type Windowed, windowed } from '../schemas/schemas.ts';
import {
  custom,
  type Merging,
  type Stream,
  session,
  sliding,
  topic,
  topology,
  type WindowedTable,
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

/** Late by `disorder` at most. */
const events = (disorder: number) =>
  fc
    .array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'ba', 'a\0'),
        value: fc.integer({ min: 1, max: 9 }),
        later: fc.nat(7),
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

interface Row {
  readonly key: Windowed<string>;
  readonly value: unknown;
  readonly timestamp: number;
}

interface Result {
  readonly updates: readonly Row[];
  readonly finals: readonly Row[];
  readonly late: number;
}

type Form = 'cells' | 'bytes';
type Add = (sum: number, value: number) => number;

/** The sum of each window, in cells or in bytes. `final`: by which way final results come. */
function run(
  windows: Windows<number, string, Merging>,
  keys: Serde<Windowed<string>>,
  input: readonly Event[],
  form: Form = 'cells',
  final: 'suppress' | 'close' = 'close',
): Result {
  const app = topology('merging');
  const stream = app.stream(topic('in', { key: string(), value: int64(), partitions: 1 })) as Stream<string, number, 1>;
  const grouped = stream.groupByKey().window(windows);
  const serde = (form === 'cells' ? int64() : string()) as Serde<number>;
  const as =
    (add: Add): Add =>
    (a, b) =>
      (form === 'cells' ? add(a, b) : String(add(Number(a), Number(b)))) as number;
  const sum = as((a, b) => a + b);
  const options = { value: serde, initial: () => (form === 'cells' ? 0 : ('0' as unknown as number)), add: sum };
  // By default the stores of updates and of emission on close do not read back equally far.
  const merge = windows.type === 'sliding' ? { retention: 200 } : needsMerge(windows) ? { merge: sum } : {};
  const out = (name: string) => topic(name, { key: keys, value: serde, partitions: 1 });
  const table = grouped.aggregate({ store: 's', ...options, ...merge }) as WindowedTable<string, number, 1, null>;
  (table.toStream() as Stream<Windowed<string>, number, 1>).to(out('updates'));
  if (final === 'suppress') table.suppress().toStream().to(out('finals'));
  else {
    const closing = grouped.emitOnClose().aggregate({ store: 'f', ...options, ...merge });
    closing.toStream().to(out('finals'));
  }
  const task = new TestTask(testProgram(app.build()));
  task.feed(...input.map((event): Datum => ({ topic: 'in', ...event })));
  task.end();
  const written = (name: string) =>
    task.written.items
      .filter((datum) => datum.topic === name)
      .map(({ key, value, timestamp }): Row => {
        return { key: key as Windowed<string>, value: value === null ? null : Number(value), timestamp };
      });
  const late = task.dropped.items.filter(({ node, reason }) => node === 'aggregate:s' && reason === 'late').length;
  return { updates: written('updates'), finals: written('finals'), late };
}

function needsMerge(windows: Windows<number, string, Merging>): boolean {
  return windows.type === 'session' || (windows as { merge?: unknown }).merge !== null;
}

/** The last row of each window, in order of their ends, starts and keys: what a table holds at last. */
function folded(updates: readonly Row[]): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const row of updates) {
    const id = JSON.stringify([row.key.key, row.key.start, row.key.end]);
    if (row.value === null) rows.delete(id);
    else rows.set(id, row);
  }
  return inOrder([...rows.values()]);
}

function inOrder(rows: readonly Row[]): readonly Row[] {
  const bytes = (row: Row) => Buffer.from(row.key.key);
  return [...rows].sort(
    (a, b) => a.key.end - b.key.end || a.key.start - b.key.start || Buffer.compare(bytes(a), bytes(b)),
  );
}

const byKey = (input: readonly Event[]) => {
  const groups = new Map<string, Event[]>();
  for (const event of input) groups.set(event.key, [...(groups.get(event.key) ?? []), event]);
  return groups;
};

function rowOf(key: string, start: number, end: number, within: readonly Event[]): Row {
  const value = within.reduce((sum, event) => sum + event.value, 0);
  return { key: { key, start, end }, value, timestamp: Math.max(...within.map(({ timestamp }) => timestamp)) };
}

/** Every window of the distinct sets of records, from the whole list. */
function slidingModel(difference: number, input: readonly Event[]): readonly Row[] {
  const rows: Row[] = [];
  for (const [key, own] of byKey(input)) {
    const starts = new Set<number>();
    const within = (start: number) =>
      own.filter(({ timestamp }) => timestamp >= start && timestamp <= start + difference);
    for (const { timestamp } of own) {
      starts.add(Math.max(0, timestamp - difference));
      if (within(timestamp + 1).length > 0) starts.add(timestamp + 1);
    }
    for (const start of starts) rows.push(rowOf(key, start, start + difference, within(start)));
  }
  return inOrder(rows);
}

/** Sessions from the sorted list of each key; `reach`: to where a record holds its session open. */
function sessionModel(reach: (event: Event) => number, input: readonly Event[], showsReach: boolean): readonly Row[] {
  const rows: Row[] = [];
  for (const [key, own] of byKey(input)) {
    const sorted = [...own].sort((a, b) => a.timestamp - b.timestamp);
    let open: Event[] = [];
    let until = Number.NEGATIVE_INFINITY;
    const close = () => {
      if (open.length === 0) return;
      const last = Math.max(...open.map(({ timestamp }) => timestamp));
      rows.push(rowOf(key, open[0]!.timestamp, showsReach ? until : last, open));
    };
    for (const event of sorted) {
      if (event.timestamp > until) {
        close();
        open = [];
        until = Number.NEGATIVE_INFINITY;
      }
      open.push(event);
      until = Math.max(until, reach(event));
    }
    close();
  }
  return inOrder(rows);
}

const RUNS = { numRuns: 200, seed: 14 };

test('sliding windows within grace are those of all distinct sets of records', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), events(20), (difference, input) => {
      const keys = windowed(string(), difference);
      const windows = sliding({ difference, grace: 20 });
      const expected = slidingModel(difference, input);
      for (const form of ['cells', 'bytes'] as const) {
        const { updates, finals, late } = run(windows, keys, input, form);
        assert.equal(late, 0);
        assert.deepEqual(folded(updates), expected);
        assert.deepEqual(finals, expected);
      }
      assert.deepEqual(run(windows, keys, input, 'cells', 'suppress').finals.length >= expected.length, true);
    }),
    RUNS,
  );
});

test('sessions within grace are those of the sorted records', () => {
  fc.assert(
    fc.property(fc.nat(8), events(20), (gap, input) => {
      const windows = session({ gap, grace: 21 });
      const expected = sessionModel(({ timestamp }) => timestamp + gap, input, false);
      for (const form of ['cells', 'bytes'] as const) {
        const { updates, finals, late } = run(windows, sessionWindowed(string()), input, form);
        assert.equal(late, 0);
        assert.deepEqual(folded(updates), expected);
        assert.deepEqual(finals, expected);
      }
    }),
    RUNS,
  );
});

test('sessions whose gap is told by each record reach as far as it says', () => {
  fc.assert(
    fc.property(events(20), (input) => {
      const windows = session<number, string>({ gap: (value) => value, grace: 20 });
      const expected = sessionModel(({ timestamp, value }) => timestamp + value, input, true);
      for (const form of ['cells', 'bytes'] as const) {
        const { updates, finals, late } = run(windows, sessionWindowed(string()), input, form);
        assert.equal(late, 0);
        assert.deepEqual(folded(updates), expected);
        assert.deepEqual(finals, expected);
      }
    }),
    RUNS,
  );
});

/** Sessions of one gap as windows of one's own: `[first, last + gap + 1)`. */
function ownSessions(gap: number, grace: number): Windows<number, string, Merging> {
  return custom<number, string>({
    name: 'own sessions',
    assign: (time) => ({ start: time, end: time + gap + 1 }),
    merge: (a, b) => (a.start < b.end && b.start < a.end ? union(a, b) : undefined),
    grace,
  });
}

function union(a: WindowSpan, b: WindowSpan): WindowSpan {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}

test('custom windows that merge are sessions where they are told so, late records too', () => {
  let late = 0;
  fc.assert(
    fc.property(fc.nat(6), fc.nat(9), events(25), (gap, grace, input) => {
      const keys = sessionWindowed(string());
      const own = run(ownSessions(gap, grace), keys, input);
      const built = run(session<number, string>({ gap: () => gap, grace }), keys, input);
      const asOwn = ({ key: { key, start, end }, value, timestamp }: Row) => ({
        key: { key, start, end: end + 1 },
        value,
        timestamp,
      });
      assert.deepEqual(own.updates, built.updates.map(asOwn));
      assert.deepEqual(own.finals, built.finals.map(asOwn));
      assert.equal(own.late, built.late);
      late += own.late;
    }),
    RUNS,
  );
  assert.ok(late > 100, `${late} late records`);
});

test('what closes is the last update of its window, and comes once, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(6), events(25), (span, grace, input) => {
      for (const [windows, keys] of [
        [session({ gap: span, grace }), sessionWindowed(string())],
        [session<number, string>({ gap: (value) => value, grace }), sessionWindowed(string())],
        [sliding({ difference: span, grace }), windowed(string(), span)],
      ] as const) {
        const { updates, finals } = run(windows as Windows<number, string, Merging>, keys, input);
        const ids = finals.map(({ key }) => JSON.stringify(key));
        assert.equal(new Set(ids).size, ids.length);
        const last = new Map(updates.map((row) => [JSON.stringify(row.key), row]));
        for (const row of finals) assert.deepEqual(row, last.get(JSON.stringify(row.key)));
        assert.deepEqual(finals, inOrder(finals));
      }
    }),
    RUNS,
  );
});
