import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../core/random.ts';
import { string } from '../schemas/schemas.ts';
import { type StreamJoinOptions, topic, topology } from '../topology/topology.ts';
import { runWithCrashes } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type JoinEvent, type JoinSpec, NaiveJoin } from './testing/naive-join.ts';
import { type Datum, type TestProgram, TestTask, type TestTaskOptions } from './testing/test-task.ts';

const TEXTS = { key: string(), value: string(), partitions: 1 } as const;

function program({ how, before, after, grace }: JoinSpec, itself = false): TestProgram {
  const app = topology('joins');
  const left = app.stream(topic('left', TEXTS));
  const right = app.stream(topic(itself ? 'left' : 'right', TEXTS));
  const options: StreamJoinOptions<string, string, (a: string | null, b: string | null, key: string) => string> = {
    name: 'pairs',
    within: { before, after, grace },
    merge: (a, b, key) => `${key}: ${a}+${b}`,
  };
  const joined =
    how === 'inner'
      ? left.joinStream(right, { ...options, left: string(), right: string() })
      : how === 'left'
        ? left.leftJoinStream(right, options)
        : left.outerJoinStream(right, options);
  joined.to(topic('out', TEXTS));
  return testProgram(app.build());
}

/** Times and windows in units of 1 or of 60 ms, so that panes come and go. */
interface Case {
  readonly spec: JoinSpec;
  readonly events: readonly JoinEvent[];
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    scale: fc.constantFrom(1, 60),
    how: fc.constantFrom('inner', 'left', 'outer'),
    before: fc.integer({ min: -6, max: 12 }),
    size: fc.nat(14),
    grace: fc.constantFrom(0, 0, 4, 9),
    rows: fc.array(
      fc.record({
        side: fc.constantFrom('left', 'right'),
        key: fc.constantFrom('a', 'a', 'ab', 'b', 'é', 'a key of more than twelve bytes', null),
        gone: fc.nat(20).map((n) => n === 0),
        later: fc.nat(5),
        back: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(40)),
      }),
      { maxLength: 80, size: 'max' },
    ),
  })
  .map(({ scale, how, before, size, grace, rows }) => {
    let clock = 0;
    const events = rows.map(({ side, key, gone, later, back }, index): JoinEvent => {
      clock += later;
      const value = gone ? null : `${side[0]}${index}`;
      return { side, key, value, timestamp: scale * Math.max(0, clock - back) };
    });
    const spec: JoinSpec = { how, before: scale * before, after: scale * (size - before), grace: scale * grace };
    return { spec, events };
  });

const asDatum = ({ side, key, value, timestamp }: JoinEvent): Datum => ({ topic: side, key, value, timestamp });

function outcome(task: TestTask): unknown {
  const results = task.written.items.map(({ key, value, timestamp }) => ({ key, value, timestamp }));
  return { results, drops: task.dropped.items.map(({ reason }) => reason) };
}

function expected({ spec, events }: Case): unknown {
  const naive = new NaiveJoin(spec);
  for (const event of events) naive.take(event);
  naive.end();
  return { results: naive.results, drops: naive.drops };
}

function run({ spec, events }: Case, options: TestTaskOptions = {}): TestTask {
  const task = new TestTask(program(spec), options);
  task.feed(...events.map(asDatum));
  task.end();
  return task;
}

const RUNS = { numRuns: 400, seed: 4 };

test('joins equal the naive ones, step by step', () => {
  const seen = { alone: 0, pairs: 0, late: 0 };
  fc.assert(
    fc.property(cases, ({ spec, events }) => {
      const naive = new NaiveJoin(spec);
      const task = new TestTask(program(spec));
      for (const event of events) {
        naive.take(event);
        task.feed(asDatum(event));
        assert.deepEqual(outcome(task), { results: naive.results, drops: naive.drops }, JSON.stringify(event));
      }
      for (const { value } of naive.results) seen[value.includes('null') ? 'alone' : 'pairs']++;
      seen.late += naive.drops.filter((reason) => reason === 'late').length;
    }),
    RUNS,
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 500, `${what}: ${count}`);
});

test('where reads miss at random, undo leaves nothing behind', () => {
  let misses = 0;
  fc.assert(
    fc.property(cases, fc.nat(), (each, seed) => {
      const random = seededRandom(seed);
      const task = run(each, {
        interrupt(step) {
          if (randomInt(random, 9) === 0) step.miss();
        },
      });
      misses += task.misses;
      assert.deepEqual(outcome(task), expected(each));
    }),
    RUNS,
  );
  assert.ok(misses > 1000, `${misses} misses`);
});

test('a stream joined with itself comes from either side in turn, and lies in one store', () => {
  fc.assert(
    fc.property(cases, ({ spec, events }) => {
      const own = events.map((event): JoinEvent => ({ ...event, side: 'left' }));
      const naive = new NaiveJoin(spec);
      for (const event of own) {
        naive.take(event);
        naive.take({ ...event, side: 'right' });
      }
      naive.end();
      const made = program(spec, true);
      assert.equal(made.stores.length, spec.how === 'inner' ? 1 : 2);
      const task = new TestTask(made);
      task.feed(...own.map(asDatum));
      task.end();
      assert.deepEqual(outcome(task), { results: naive.results, drops: naive.drops });
    }),
    RUNS,
  );
});

/** Feeds the events, with commits and crashes between steps. */
function crashed(each: Case, seed: number): ReturnType<typeof runWithCrashes> {
  const open = (between: () => void) => new TestTask(program(each.spec), { between });
  return runWithCrashes({ random: seededRandom(seed), oneIn: 12, open }, each.events.map(asDatum));
}

test('a commit and a crash after any step lose nothing and repeat nothing', () => {
  let crashes = 0;
  fc.assert(
    fc.property(cases, fc.nat(), (each, seed) => {
      const run = crashed(each, seed);
      crashes += run.crashes;
      assert.deepEqual(outcome(run.task), expected(each));
    }),
    RUNS,
  );
  assert.ok(crashes > 500, `${crashes} crashes`);
});

/** So many wait that they come out as a scan before the record that asks, several at one time and key. */
const flood: Case = {
  spec: { how: 'outer', before: 50, after: 80, grace: 0 },
  events: [
    ...Array.from({ length: 900 }, (_, i): JoinEvent => {
      const side = i % 3 === 0 ? 'right' : 'left';
      return { side, key: `${side}${i % 5}`, value: `${i}`, timestamp: Math.floor(i / 20) };
    }),
    { side: 'right', key: 'left1', value: 'x', timestamp: 100 },
    { side: 'left', key: 'right2', value: 'y', timestamp: 105 },
    { side: 'left', key: 'z', value: 'z', timestamp: 1000 },
    { side: 'right', key: 'z', value: 'z', timestamp: 1001 },
  ],
};

test('hard place 1: a flush of any size comes before the record that asks, and may be cut anywhere', () => {
  const wanted = expected(flood);
  assert.deepEqual(outcome(run(flood)), wanted);
  let crashes = 0;
  for (let seed = 0; seed < 20; seed++) {
    const run = crashed(flood, seed);
    crashes += run.crashes;
    assert.deepEqual(outcome(run.task), wanted);
  }
  assert.ok(crashes > 100, `${crashes} crashes`);
});

test('an inner join of ordered streams is every pair whose times are near', () => {
  const ordered = cases.map(({ spec, events }) => ({
    spec: { ...spec, how: 'inner' as const },
    events: events
      .filter(({ key, value }) => key !== null && value !== null)
      .toSorted((a, b) => a.timestamp - b.timestamp),
  }));
  fc.assert(
    fc.property(ordered, ({ spec, events }) => {
      // a record is found for less than before + after + grace, so pairs right at the end need a grace
      const each: Case = { spec: { ...spec, grace: spec.grace + 1, before: Math.max(0, spec.before) }, events };
      const { before, after } = each.spec;
      const pairs = events.flatMap((left) =>
        events
          .filter((right) => left.side === 'left' && right.side === 'right' && left.key === right.key)
          .filter(({ timestamp }) => timestamp >= left.timestamp - before && timestamp <= left.timestamp + after)
          .map((right) => `${left.key}: ${left.value}+${right.value}`),
      );
      if (before + after < 0 || after < 0) return;
      assert.deepEqual(
        run(each)
          .written.items.map(({ value }) => value)
          .sort(),
        pairs.sort(),
      );
    }),
    RUNS,
  );
});

test('without grace, each record of a kept side comes in pairs or once alone', () => {
  fc.assert(
    fc.property(cases, (each) => {
      const spec: JoinSpec = { ...each.spec, how: 'outer', grace: 0 };
      const task = run({ spec, events: each.events });
      const texts = task.written.items.map(({ value }) => String(value).replace(/^.*: /, ''));
      for (const { side, value } of each.events) {
        if (value === null) continue;
        const own = texts.filter((text) => text.split('+')[side === 'left' ? 0 : 1] === value);
        const alone = own.filter((text) => text.includes('null')).length;
        assert.ok(own.length > 0, `${value} never came`);
        assert.ok(alone <= 1, `${value} came alone ${alone} times`);
      }
    }),
    RUNS,
  );
});
