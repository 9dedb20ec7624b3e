import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, type TestProgram, TestTask } from './testing/test-task.ts';

const KEYED = { key: string(), value: string(), partitions: 1 } as const;
const IN = topic('in', KEYED);
const OUT = topic('out', KEYED);

function program(within: number, by?: (value: string) => string): TestProgram {
  const app = topology('deduplicated');
  app
    .stream(IN)
    .deduplicate({ within, store: 'passed', ...(by === undefined ? {} : { by }) })
    .to(OUT);
  return testProgram(app.build());
}

function datum(key: string | null, value: string, timestamp: number): Datum {
  return { topic: 'in', key, value, timestamp };
}

function passed(task: TestTask): readonly string[] {
  return task.written.items.map(({ key, value, timestamp }) => `${key}${value}@${timestamp}`);
}

function run(within: number, data: readonly Datum[], by?: (value: string) => string): TestTask {
  const task = new TestTask(program(within, by));
  task.feed(...data);
  return task;
}

test('the first record of a key passes, and the next one that is far enough behind it', () => {
  const data = [datum('a', '1', 0), datum('a', '2', 9), datum('b', '3', 9), datum('a', '4', 10), datum('a', '5', 19)];
  const task = run(10, data);
  assert.deepEqual(passed(task), ['a1@0', 'b3@9', 'a4@10']);
  assert.deepEqual(
    task.dropped.items.map(({ reason }) => reason),
    ['duplicate', 'duplicate'],
  );
});

test('what makes records the same may be named', () => {
  const data = [datum('a', 'x1', 0), datum('a', 'y1', 1), datum('a', 'x2', 2), datum('ax', '1', 3)];
  assert.deepEqual(passed(run(10, data, (value) => value[0]!)), ['ax1@0', 'ay1@1', 'ax1@3']);
});

test('a record before one that passed is as near as one behind it; one too old to be judged is late', () => {
  const task = run(10, [datum('a', '1', 25), datum('a', '2', 16), datum('b', '3', 16), datum('b', '4', 15)]);
  assert.deepEqual(passed(task), ['a1@25', 'b3@16']);
  assert.deepEqual(
    task.dropped.items.map(({ reason }) => reason),
    ['duplicate', 'late'],
  );
});

test('what is old is forgotten, a pane at a time', () => {
  const task = run(10, [datum('a', '1', 0), datum('b', '2', 12), datum('c', '3', 40)]);
  assert.deepEqual(task.table('passed').panes(), [40]);
});

interface Verdicts {
  readonly passed: readonly Datum[];
  readonly late: number;
}

/** Remembers all that passed, for ever. */
function naive(data: readonly Datum[], within: number): Verdicts {
  const all: Datum[] = [];
  let clock = -1;
  let late = 0;
  for (const each of data) {
    clock = Math.max(clock, each.timestamp);
    if (each.key === null) continue;
    if (each.timestamp + within <= clock) late++;
    else if (!all.some(({ key, timestamp }) => key === each.key && Math.abs(timestamp - each.timestamp) < within))
      all.push(each);
  }
  return { passed: all, late };
}

test('it passes what a search through all that passed would, under cold reads, commits and crashes too', () => {
  const rows = fc.array(fc.record({ key: fc.constantFrom('a', 'b', null), later: fc.integer({ min: -12, max: 14 }) }), {
    maxLength: 40,
    size: 'max',
  });
  let late = 0;
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 15 }), fc.nat(), (steps, within, seed) => {
      let time = 10;
      const data = steps.map(({ key, later }) => {
        time = Math.max(0, time + later);
        return datum(key, 'v', time);
      });
      const plain = runPlainly(program(within), data);
      const expected = naive(data, within);
      assert.deepEqual(
        plain.written.items,
        expected.passed.map((each) => ({ ...each, topic: 'out' })),
      );
      assert.equal(plain.dropped.items.filter(({ reason }) => reason === 'late').length, expected.late);
      assert.deepEqual(outcomeOf(runDisturbed(program(within), data, seed)), outcomeOf(plain));
      late += expected.late;
    }),
    { numRuns: 200, seed: 8 },
  );
  assert.ok(late > 100, `${late} late records`);
});
