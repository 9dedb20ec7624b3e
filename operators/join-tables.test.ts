import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, string } from '../schemas/schemas.ts';
import { type Table, topic, topology } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { missing } from './testing/table-inputs.fixture.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

type How = 'inner' | 'left' | 'outer';

const KEYED = { key: string(), partitions: 1 } as const;
const LEFT = topic('left', { ...KEYED, value: int64() });
const RIGHT = topic('right', { ...KEYED, value: string() });
const OUT = topic('out', { ...KEYED, value: string() });
const merge = (left: number | null, right: string | null) => `${left}+${right}`;

function join(
  how: How,
  left: Table<string, number, 1>,
  right: Table<string, string, 1>,
  options: { readonly store?: string } = {},
): Table<string, string, 1> {
  const all = { ...options, value: string(), name: 'join' };
  if (how === 'inner') return left.joinTable(right, { ...all, merge });
  return how === 'left' ? left.leftJoinTable(right, { ...all, merge }) : left.outerJoinTable(right, { ...all, merge });
}

function tables() {
  const app = topology('join-tables');
  return { app, left: app.table(LEFT, { store: 'left' }), right: app.table(RIGHT, { store: 'right' }) };
}

const inputs = fc.array(
  fc
    .record({
      left: fc.boolean(),
      key: fc.constantFrom('a', 'b'),
      value: fc.option(fc.nat(9), { freq: 2 }),
      timestamp: fc.nat(20),
    })
    .map(({ left, key, value, timestamp }): Datum => {
      const row = left || value === null ? value : `r${value}`;
      return { topic: left ? 'left' : 'right', key, value: row, timestamp };
    }),
  { maxLength: 30, size: 'max' },
);

interface Row {
  readonly value: unknown;
  readonly timestamp: number;
}

/** The rules in words: an update is passed on if there could have been a row, before it or by it. */
function naive(how: How, data: readonly Datum[]): readonly Datum[] {
  const sides = { left: new Map<unknown, Row>(), right: new Map<unknown, Row>() };
  const out: Datum[] = [];
  for (const { topic: side, key, value, timestamp } of data) {
    const own = sides[side as 'left' | 'right'];
    const other = (side === 'left' ? sides.right : sides.left).get(key);
    const before = own.get(key);
    if (value === null) own.delete(key);
    else own.set(key, { value, timestamp });
    const touched = value !== null || before !== undefined;
    const keeps = how === 'outer' || (how === 'left' && side === 'left');
    if (other === undefined && !(keeps && touched)) continue;
    const left = sides.left.get(key)?.value ?? null;
    const right = sides.right.get(key)?.value ?? null;
    const lives =
      how === 'inner' ? left !== null && right !== null : how === 'left' ? left !== null : (left ?? right) !== null;
    out.push({
      topic: 'out',
      key,
      value: lives ? `${left}+${right}` : null,
      timestamp: Math.max(timestamp, other?.timestamp ?? 0),
    });
  }
  return out;
}

for (const how of ['inner', 'left', 'outer'] as const) {
  for (const store of [undefined, 'joined']) {
    test(`${how} join of tables ${store === undefined ? 'without' : 'with'} a store, against a slow model`, () => {
      const { app, left, right } = tables();
      join(how, left, right, store === undefined ? {} : { store })
        .toStream()
        .to(OUT);
      const program = testProgram(app.build());
      fc.assert(
        fc.property(inputs, fc.nat(), (data, seed) => {
          const task = new TestTask(program, missing(seed));
          task.feed(...data);
          assert.deepEqual(task.written.items, naive(how, data));
        }),
        { numRuns: 150, seed: 20261 },
      );
    });
  }

  test(`${how} join of tables that keep no rows: what is grouped behind it is what the rows are now`, () => {
    const { app, left, right } = tables();
    const some = left.filter((value) => value % 3 !== 0);
    const named = right.mapValues((value) => (value === 'r1' ? null : value));
    join(how, some, named)
      .groupBy((text) => [text, text], { name: 'by-text', key: string(), value: string(), partitions: 1 })
      .count({ store: 'counts' })
      .toStream()
      .to(topic('counts', { ...KEYED, value: int64() }));
    const program = testProgram(app.build());
    fc.assert(
      fc.property(inputs, fc.nat(), (data, seed) => {
        const task = new TestTask(program, missing(seed));
        task.feed(...data);
        const counts = new Map<unknown, unknown>();
        for (const { key, value } of task.written.items) counts.set(key, value);
        for (const [key, value] of counts) if (value === 0) counts.delete(key);
        assert.deepEqual(counts, countsNow(how, data));
      }),
      { numRuns: 150, seed: 20262 },
    );
  });
}

/** How many keys have each joined row, from the last values alone. */
function countsNow(how: How, data: readonly Datum[]): ReadonlyMap<unknown, unknown> {
  const counts = new Map<unknown, unknown>();
  for (const key of ['a', 'b']) {
    const last = (side: string) => data.findLast((each) => each.topic === side && each.key === key)?.value ?? null;
    const left = last('left');
    const right = last('right');
    const l = left !== null && (left as number) % 3 !== 0 ? left : null;
    const r = right === 'r1' ? null : right;
    if ((l ?? r) === null || (how !== 'outer' && l === null) || (how === 'inner' && r === null)) continue;
    counts.set(`${l}+${r}`, ((counts.get(`${l}+${r}`) as number | undefined) ?? 0) + 1);
  }
  return counts;
}

test('a table joined with itself is passed on twice, each time as it is now', () => {
  const { app, right } = tables();
  right
    .joinTable(right, { merge: (one, other) => `${one}+${other}` })
    .toStream()
    .to(OUT);
  const task = new TestTask(testProgram(app.build()));
  task.feed({ topic: 'right', key: 'a', value: 'x', timestamp: 1 });
  task.feed({ topic: 'right', key: 'a', value: 'y', timestamp: 2 });
  task.feed({ topic: 'right', key: 'a', value: null, timestamp: 3 });
  assert.deepEqual(
    task.written.items.map(({ value }) => value),
    ['x+x', 'x+x', 'y+y', 'y+y'],
  );
});

test('a stream joined with a joined table that keeps no rows finds what both have now', () => {
  const { app, left, right } = tables();
  const events = app.stream(topic('events', { ...KEYED, value: string() }));
  events.leftJoinTable(join('outer', left, right), { merge: (event, row) => `${event}:${row}` }).to(OUT);
  const task = new TestTask(testProgram(app.build()));
  const ask = () => {
    task.feed({ topic: 'events', key: 'a', value: 'e', timestamp: 9 });
    return task.written.items.at(-1)!.value;
  };
  assert.equal(ask(), 'e:null');
  task.feed({ topic: 'left', key: 'a', value: 1, timestamp: 1 });
  assert.equal(ask(), 'e:1+null');
  task.feed({ topic: 'right', key: 'a', value: 'x', timestamp: 2 });
  assert.equal(ask(), 'e:1+x');
  task.feed({ topic: 'left', key: 'a', value: null, timestamp: 3 });
  assert.equal(ask(), 'e:null+x');
});
