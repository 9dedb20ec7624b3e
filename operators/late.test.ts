import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, string } from '../schemas/schemas.ts';
import {
  calendar,
  cumulative,
  custom,
  hopping,
  type Sink,
  session,
  sliding,
  topic,
  topology,
  tumbling,
  validatePlan,
} from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

const KEYED = { key: string(), value: int64(), partitions: 1 } as const;
const input = topic('in', KEYED);
const other = topic('other', KEYED);
const late = topic('late', KEYED);
const WITHIN = { before: 10, after: 10, grace: 5 } as const;
const HISTORY = { store: 'rows', history: 20 } as const;
const ALL = { store: 'rows', value: int64(), initial: () => 0 } as const;

const grouped = (app: ReturnType<typeof topology>) => app.stream(input).groupByKey();
const windows = (app: ReturnType<typeof topology>) => grouped(app).window(tumbling(10, { grace: 5 }));
const cogrouped = (app: ReturnType<typeof topology>) =>
  grouped(app)
    .cogroup<number>((all, value) => all + value)
    .window(tumbling(10, { grace: 5 }));

const events = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), value: fc.nat(99), timestamp: fc.nat(60) }), {
  maxLength: 40,
});

test('late records come out as they went in, each once, however many of its windows had closed', () => {
  fc.assert(
    fc.property(events, fc.nat(5), fc.constantFrom(4, 10), (rows, grace, advance) => {
      const app = topology('late');
      app
        .stream(input)
        .groupByKey()
        .window(advance === 10 ? tumbling(10, { grace }) : hopping(10, { advance, grace }))
        .count({ store: 'counts' })
        .late()
        .to(late);
      const task = new TestTask(testProgram(app.build()));
      task.feed(...rows.map((row): Datum => ({ topic: 'in', ...row })));
      let clock = -1;
      let closed = 0;
      const expected: Datum[] = [];
      for (const row of rows) {
        clock = Math.max(clock, row.timestamp);
        let times = 0;
        for (let start = 0; start <= row.timestamp; start += advance) {
          if (row.timestamp < start + 10 && start + 10 + grace <= clock) times++;
        }
        closed += times;
        if (times > 0) expected.push({ topic: 'late', ...row });
      }
      assert.deepEqual(task.written.items, expected);
      assert.equal(task.dropped.items.length, closed);
    }),
    { seed: 31 },
  );
});

test('a record that is late for several sliding windows comes out once, and counts once for each', () => {
  const app = topology('late');
  const windows = sliding({ difference: 10, grace: 0 });
  app.stream(input).groupByKey().window(windows).count({ store: 'counts' }).late().to(late);
  const task = new TestTask(testProgram(app.build()));
  const at = (timestamp: number): Datum => ({ topic: 'in', key: 'a', value: timestamp, timestamp });
  task.feed(at(20), at(26), at(33), at(24));
  assert.deepEqual(task.written.items, [{ topic: 'late', key: 'a', value: 24, timestamp: 24 }]);
  assert.ok(task.dropped.items.length > 1, `${task.dropped.items.length} windows`);
});

/** Of some the type of what goes in is not known. */
type Late = { late(): { to(sink: Sink<string, never>): void } };

/** Each operator to which records may come late, by the kind of its node and what the windows are. */
const OPERATORS: { readonly [operator: string]: (app: ReturnType<typeof topology>) => Late } = {
  'tumbling count': (app) => windows(app).count({ store: 'rows' }),
  'tumbling count on close': (app) => windows(app).emitOnClose().count({ store: 'rows' }),
  'hopping reduce': (app) =>
    grouped(app)
      .window(hopping(10, { advance: 5, grace: 5 }))
      .reduce({ store: 'rows', value: int64(), add: (a, b) => a + b }),
  'sliding count': (app) =>
    grouped(app)
      .window(sliding({ difference: 10, grace: 5 }))
      .count({ store: 'rows' }),
  'session count': (app) =>
    grouped(app)
      .window(session({ gap: 10, grace: 5 }))
      .count({ store: 'rows' }),
  'session count on close': (app) =>
    grouped(app)
      .window(session({ gap: 10, grace: 5 }))
      .emitOnClose()
      .count({ store: 'rows' }),
  'cumulative count': (app) =>
    grouped(app)
      .window(cumulative({ step: 5, max: 10, grace: 5 }))
      .count({ store: 'rows' }),
  'calendar count': (app) =>
    grouped(app)
      .window(calendar({ unit: 'day', timeZone: 'UTC', grace: 5 }))
      .count({ store: 'rows' }),
  'custom count': (app) =>
    grouped(app)
      .window(custom({ name: 'tens', grace: 5, assign: (at) => [{ start: at - (at % 10), end: at - (at % 10) + 10 }] }))
      .count({ store: 'rows' }),
  'tumbling sum': (app) => windows(app).sum({ store: 'rows', of: (value) => value }),
  'tumbling cogroup': (app) => cogrouped(app).aggregate(ALL),
  'tumbling cogroup on close': (app) => cogrouped(app).emitOnClose().aggregate(ALL),
  deduplicate: (app) => app.stream(input).deduplicate({ store: 'rows', within: 10 }),
  difference: (app) => app.stream(input).difference({ store: 'rows', within: 10, fn: (a, b) => a - b }),
  joinStreams: (app) =>
    app.stream(input).joinStream(app.stream(other), { name: 'join', within: WITHIN, merge: (a, b) => a + b }),
  'joinStreams left': (app) =>
    app
      .stream(input)
      .leftJoinStream(app.stream(other), { name: 'join', within: WITHIN, merge: (a, b) => a + (b ?? 0) }),
  'joinStreams outer': (app) =>
    app.stream(input).outerJoinStream(app.stream(other), { name: 'join', within: WITHIN, merge: (a) => a ?? 0 }),
  joinTable: (app) =>
    app
      .stream(input)
      .joinTable(app.table(other, HISTORY), { name: 'join', grace: 10, merge: (a: number, b: number) => a + b }),
  'joinTable left': (app) =>
    app.stream(input).leftJoinTable(app.table(other, HISTORY), { name: 'join', grace: 10, merge: (a: number) => a }),
};

for (const [operator, build] of Object.entries(OPERATORS)) {
  test(`${operator}: what comes too late comes out as it went in`, () => {
    const app = topology('late');
    build(app).late().to(late);
    const program = testProgram(app.build());
    const task = new TestTask(program);
    const at = (timestamp: number, key = 'a'): Datum => ({ topic: 'in', key, value: timestamp, timestamp });
    const day = 86_400_000;
    task.feed(at(20), at(3 * day), at(4, 'b'), at(3 * day + 1));
    const found = task.written.items.filter(({ topic: name }) => name === 'late');
    assert.deepEqual(found, [{ topic: 'late', key: 'b', value: 4, timestamp: 4 }]);
    const listener = program.nodes.find(({ kind }) => kind === 'late')!;
    assert.deepEqual([listener.key, listener.value], ['string', 'int64'], 'the formats are those of what came');
  });
}

test('a record that does not wait for the table is told as late, joined at once and not counted', () => {
  const app = topology('late');
  const out = topic('out', KEYED);
  const joined = app
    .stream(input)
    .leftJoinTable(app.table(other, HISTORY), { name: 'join', grace: 10, merge: (a: number) => -a });
  joined.to(out);
  joined.late().to(late);
  const task = new TestTask(testProgram(app.build()));
  task.feed(
    { topic: 'in', key: 'a', value: 50, timestamp: 50 },
    { topic: 'in', key: 'a', value: 40, timestamp: 40 },
    { topic: 'in', key: 'a', value: 39, timestamp: 39 },
  );
  assert.deepEqual(
    task.written.items.map(({ topic: name, value }) => [name, value]),
    [
      ['out', -40],
      ['late', 39],
      ['out', -39],
    ],
  );
  assert.deepEqual(task.dropped.items, []);
});

test('late() of a join with a table at once is a fault of the plan', () => {
  const app = topology('none');
  const rows = app.table(other, HISTORY);
  const joined = app.stream(input).joinTable(rows, { merge: (a: number, b: number) => a + b });
  // @ts-expect-error without grace none waits
  joined.late().to(late);
  assert.throws(
    () => app.build(),
    /takes the late records of joinTable:in:1, to which none comes late: call late\(\) on/,
  );
});

test('late() behind what drops nothing as late is a fault of the plan', () => {
  const app = topology('none');
  app
    .stream(input)
    .filter((value) => value !== null)
    .to(late);
  const { plan } = app.build();
  const filter = plan.nodes.find(({ kind }) => kind === 'filter')!;
  const node = { kind: 'late', id: 'late:in:1', inputs: [filter.id], key: null, value: null } as const;
  const [fault] = validatePlan({ ...plan, nodes: [...plan.nodes, node] });
  assert.match(fault!.message, /late:in:1 takes the late records of filter:in:1, to which none comes late/);
});
