import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { string, windowed } from '../schemas/schemas.ts';
import { type Cogrouped, topic, topology, tumbling } from '../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, type TestProgram, TestTask } from './testing/test-task.ts';

const KEYED = { key: string(), partitions: 1 } as const;
const ONE = topic('one', { ...KEYED, value: string() });
const TWO = topic('two', { ...KEYED, value: string() });
const THREE = topic('three', { ...KEYED, value: string() });

function cogrouped(app: ReturnType<typeof topology>): Cogrouped<string, string, 1> {
  const keyed = app.stream(THREE).groupBy((value) => value[0]!, { ...KEYED, name: 'by-letter', value: string() });
  return app
    .stream(ONE)
    .groupByKey()
    .cogroup((all: string, value) => `${all}+${value}`)
    .cogroup(app.stream(TWO).groupByKey(), (all, value, key) => `${all}*${key}${value}`)
    .cogroup(keyed, (all, value) => `${all}/${value}`);
}

function plain(): TestProgram {
  const app = topology('cogrouped');
  cogrouped(app)
    .aggregate({ store: 'all', value: string(), initial: () => '0' })
    .toStream()
    .to(topic('out', { ...KEYED, value: string() }));
  return testProgram(app.build());
}

function inWindows(): TestProgram {
  const app = topology('cogrouped-windows');
  const table = cogrouped(app)
    .window(tumbling(10, { grace: 2 }))
    .aggregate({ store: 'all', value: string(), initial: () => '0', retention: 50 });
  const out = { key: windowed(string(), 10), value: string(), partitions: 1 } as const;
  table.toStream().to(topic('updates', out));
  table.suppress().toStream().to(topic('finals', out));
  return testProgram(app.build());
}

const datum = (topic: string, key: string | null, value: string | null, timestamp: number): Datum => ({
  ...{ topic, key, value, timestamp },
});

test('streams share an aggregate, each adding by its own function', () => {
  const task = new TestTask(plain());
  task.feed(
    datum('one', 'a', 'x', 1),
    datum('two', 'a', 'y', 2),
    datum('three', 'b', 'ab', 3),
    datum('one', 'b', 'z', 4),
  );
  assert.deepEqual(
    task.written.items.map(({ key, value }) => [key, value]),
    [
      ['a', '0+x'],
      ['a', '0+x*ay'],
      ['a', '0+x*ay/ab'],
      ['b', '0+z'],
    ],
  );
});

test('null keys and, without windows, null values are dropped, by whichever input they come', () => {
  const task = new TestTask(plain());
  task.feed(datum('two', null, 'x', 1), datum('two', 'a', null, 1), datum('one', 'a', null, 1));
  assert.deepEqual(
    task.dropped.items.map(({ reason }) => reason),
    ['null-key', 'null-value', 'null-value'],
  );
});

test('in windows, a record of any input moves the time of all', () => {
  const task = new TestTask(inWindows());
  task.feed(datum('one', 'a', 'x', 5), datum('two', 'b', 'y', 12), datum('one', 'a', 'late', 9));
  assert.deepEqual(
    task.written.items.filter(({ topic: name }) => name === 'finals').map(({ key, value }) => [key, value]),
    [[{ key: 'a', start: 0, end: 10 }, '0+x']],
  );
  assert.deepEqual(
    task.dropped.items.map(({ reason }) => reason),
    ['late'],
  );
});

test('cold reads, commits and crashes change nothing', () => {
  const rows = fc.array(
    fc.record({
      topic: fc.constantFrom('one', 'two', 'three'),
      key: fc.constantFrom('a', 'b', null),
      value: fc.constantFrom('a1', 'b2', 'a3'),
      later: fc.integer({ min: -6, max: 9 }),
    }),
    { maxLength: 30, size: 'max' },
  );
  fc.assert(
    fc.property(rows, fc.nat(), (steps, seed) => {
      let time = 10;
      const data = steps.map(({ topic: name, key, value, later }) => {
        time = Math.max(0, time + later);
        return datum(name, key, value, time);
      });
      for (const program of [plain(), inWindows()]) {
        assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(runPlainly(program, data)));
      }
    }),
    { numRuns: 100, seed: 10 },
  );
});
