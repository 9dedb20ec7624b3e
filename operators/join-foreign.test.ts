import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../core/random.ts';
import { avro, int64, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { runWithCrashes } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import type { NaiveTable } from './testing/naive-table.ts';
import { type Datum, TestTask, type TestTaskOptions } from './testing/test-task.ts';

type How = 'inner' | 'left';

const KEYED = { key: string(), partitions: 1 } as const;
const LEFT = topic('left', { ...KEYED, value: string() });
const RIGHT = topic('right', { key: int64(), value: string(), partitions: 1 });
const OUT = topic('out', { ...KEYED, value: string() });
const MOVED = topic('moved', { ...KEYED, value: string() });

/** Left values are `<foreign key>|<text>`; a dash names none. */
function foreignKey(value: string): number | null {
  const [key] = value.split('|');
  return key === '-' ? null : Number(key);
}

const merge = (value: string, row: string | null) => `${value}+${row}`;

function program(how: How) {
  const app = topology('foreign');
  const left = app.table(LEFT, { store: 'left' });
  const right = app.table(RIGHT, { store: 'right' });
  const options = { name: 'fk', foreignKey, merge, store: 'joined', value: string() };
  const joined = how === 'inner' ? left.joinForeign(right, options) : left.leftJoinForeign(right, options);
  joined.toStream().to(OUT);
  // whoever asks for old values gets those of the join's own rows
  joined
    .groupBy((text, key) => [key, text], { name: 'by', ...KEYED, value: string() })
    .reduce({ store: 'sum', value: string(), add: (all, text) => `${all}${text};`, subtract: (_all, text) => text })
    .toStream()
    .to(MOVED);
  return testProgram(app.build());
}

const PROGRAMS = { inner: program('inner'), left: program('left') };

const inputs = fc.array(
  fc
    .record({
      left: fc.boolean(),
      key: fc.constantFrom('a', 'ab', 'b'),
      foreign: fc.constantFrom(1, 2, 257, null),
      text: fc.option(fc.constantFrom('x', 'y'), { freq: 3 }),
      timestamp: fc.nat(20),
    })
    .map(({ left, key, foreign, text, timestamp }): Datum => {
      if (!left) return { topic: 'right', key: foreign ?? 3, value: text, timestamp };
      return { topic: 'left', key, value: text === null ? null : `${foreign ?? '-'}|${text}`, timestamp };
    }),
  { maxLength: 40, size: 'max' },
);

interface Row {
  readonly value: string;
  readonly timestamp: number;
}

/** What each update puts out, said by the two tables as they are. */
function naive(how: How, data: readonly Datum[]): readonly Datum[] {
  const lefts = new Map<string, Row>();
  const rights = new Map<number, Row>();
  const out: Datum[] = [];
  const put = (key: string, value: string | null, timestamp: number) =>
    out.push({ topic: 'out', key, value, timestamp });
  for (const { topic: side, key, value, timestamp } of data) {
    if (side === 'right') {
      if (value === null) rights.delete(key as number);
      else rights.set(key as number, { value: value as string, timestamp });
      for (const [name, row] of [...lefts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (foreignKey(row.value) !== key) continue;
        const gone = value === null && how === 'inner';
        put(name, gone ? null : merge(row.value, value as string | null), timestamp);
      }
      continue;
    }
    const name = key as string;
    const before = lefts.get(name);
    if (value === null) lefts.delete(name);
    else lefts.set(name, { value: value as string, timestamp });
    const had = before === undefined ? null : foreignKey(before.value);
    const has = value === null ? null : foreignKey(value as string);
    const partner = has === null ? undefined : rights.get(has);
    if (how === 'left') {
      if (value === null && before === undefined) continue;
      const at = Math.max(timestamp, partner?.timestamp ?? 0);
      put(name, value === null ? null : merge(value as string, partner?.value ?? null), at);
    } else if (has === null) {
      // the answer comes from where the old partner lies
      if (had !== null) put(name, null, Math.max(timestamp, rights.get(had)?.timestamp ?? 0));
    } else if (partner !== undefined) {
      put(name, merge(value as string, partner.value), Math.max(timestamp, partner.timestamp));
    } else if (had !== null && had !== has) put(name, null, timestamp);
  }
  return out;
}

function joined(task: TestTask): readonly Datum[] {
  return task.written.items.filter(({ topic: name }) => name === 'out');
}

function outcome(task: TestTask): unknown {
  const drops = task.dropped.items.map(({ node, reason }) => `${node} ${reason}`);
  const leavings = task.table('fk.leavings') as unknown as NaiveTable | undefined;
  assert.equal(leavings?.text() ?? '', '', 'each leaving was acknowledged once');
  return { written: task.written.items, drops };
}

function runAll(how: How, data: readonly Datum[], options: TestTaskOptions = {}): TestTask {
  const task = new TestTask(PROGRAMS[how], options);
  task.feed(...data);
  task.end();
  return task;
}

const RUNS = { numRuns: 300, seed: 20261128 };
const hows = fc.constantFrom<How>('inner', 'left');

test('each update puts out what the two tables say', () => {
  fc.assert(
    fc.property(hows, inputs, (how, data) => {
      assert.deepEqual(joined(runAll(how, data)), naive(how, data));
    }),
    RUNS,
  );
});

test('a left row that names no foreign key is dropped by an inner join, and counted', () => {
  const data: readonly Datum[] = [
    { topic: 'right', key: 1, value: 'r', timestamp: 1 },
    { topic: 'left', key: 'a', value: '-|x', timestamp: 2 },
    { topic: 'left', key: 'a', value: '1|x', timestamp: 3 },
    { topic: 'left', key: 'a', value: '-|x', timestamp: 4 },
  ];
  const inner = runAll('inner', data);
  assert.deepEqual(
    joined(inner).map(({ value }) => value),
    ['1|x+r', null],
  );
  assert.deepEqual(inner.dropped.items, [
    { node: 'subscribeForeign:fk', reason: 'null-key' },
    { node: 'subscribeForeign:fk', reason: 'null-key' },
  ]);
  const left = runAll('left', data);
  assert.deepEqual(
    joined(left).map(({ value }) => value),
    ['-|x+null', '1|x+r', '-|x+null'],
  );
  assert.deepEqual(left.dropped.items, []);
});

/** Many rows that name one right row, which is updated twice and then deleted. */
function crowd(rows: number): readonly Datum[] {
  const lefts = Array.from({ length: rows }, (_, n): Datum => {
    const key = `k${String(n).padStart(4, '0')}`;
    return { topic: 'left', key, value: `${n % 9 === 0 ? 2 : 1}|${n}`, timestamp: 1 };
  });
  const right = (value: string | null, timestamp: number): Datum => ({ topic: 'right', key: 1, value, timestamp });
  return [...lefts, right('x', 2), right('y', 3), right(null, 4), { ...right('z', 5), key: 2 }];
}

test('an update reaches many rows, in the order of their keys, whatever its step can hold', () => {
  for (const rows of [60, 72, 73, 200]) {
    assert.deepEqual(joined(runAll('inner', crowd(rows))), naive('inner', crowd(rows)), `${rows} rows`);
  }
});

/** Runs with misses, commits and crashes at random. */
function interrupted(how: How, data: readonly Datum[], seed: number): ReturnType<typeof runWithCrashes> {
  const random = seededRandom(seed);
  const interrupt: TestTaskOptions['interrupt'] = (step) => {
    if (randomInt(random, 15) === 0) step.miss();
  };
  const open = (between: () => void) => new TestTask(PROGRAMS[how], { interrupt, between });
  return runWithCrashes({ random, oneIn: 12, ends: false, open }, data);
}

test('misses, commits and crashes between any two steps change nothing', () => {
  let [misses, crashes] = [0, 0];
  fc.assert(
    fc.property(hows, inputs, fc.nat(), (how, data, seed) => {
      const run = interrupted(how, data, seed);
      misses += run.task.misses;
      crashes += run.crashes;
      assert.deepEqual(outcome(run.task), outcome(runAll(how, data)));
    }),
    { ...RUNS, numRuns: 100 },
  );
  for (let seed = 1; seed <= 2; seed++) {
    const run = interrupted('left', crowd(90), seed);
    crashes += run.crashes;
    assert.deepEqual(outcome(run.task), outcome(runAll('left', crowd(90))), `seed ${seed}`);
  }
  assert.ok(misses > 300 && crashes > 300, `${misses} misses, ${crashes} crashes`);
});

test('rows of cells, rows that are made of others, and a table joined with itself', () => {
  const person = avro({ type: 'record', name: 'P', fields: [{ name: 'boss', type: 'long' }] } as const);
  const people = topic('people', { key: int64(), value: person, partitions: 1 });
  const app = topology('self');
  const table = app.table(people, { store: 'people' });
  const bosses = table.mapValues(({ boss }) => `b${boss}`, { store: 'texts', value: string() });
  const options = { foreignKey: ({ boss }: { boss: number }) => boss, value: string() } as const;
  table
    .joinForeign(bosses, { ...options, name: 'one', merge: ({ boss }, row, key) => `${key}<${boss}:${row}` })
    .toStream()
    .to(topic('out', { key: int64(), value: string(), partitions: 1 }));
  const task = new TestTask(testProgram(app.build()));
  const data = [
    { key: 1, value: { boss: 1 } },
    { key: 2, value: { boss: 1 } },
    { key: 1, value: { boss: 2 } },
    { key: 2, value: null },
  ];
  task.feed(...data.map((each, n): Datum => ({ topic: 'people', timestamp: n, ...each })));
  assert.deepEqual(
    task.written.items.map(({ key, value }) => [key, value]),
    [
      [1, '1<1:b1'],
      [2, '2<1:b1'],
      // the subscription of 1 to itself is stale by now; that of 2 is not
      [2, '2<1:b2'],
      [1, '1<2:b1'],
      [1, null],
      [2, null],
    ],
  );
});
