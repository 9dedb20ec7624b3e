import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { int64, string, type Windowed, windowed } from '../schemas/schemas.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { outcomeOf, runDisturbed, runPlainly } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { IN, numbered } from './testing/one-stream.fixture.ts';
import { type Datum, type TestProgram, TestTask } from './testing/test-task.ts';

const SIZE = 10;
const GRACE = 5;
const RESULTS = { key: windowed(string(), SIZE), value: int64(), partitions: 1 } as const;

/** Updates and final results of one aggregate, beside each other. */
function program(): TestProgram {
  const app = topology('suppress');
  const counts = app
    .stream(IN)
    .groupByKey()
    .window(tumbling(SIZE, { grace: GRACE }))
    .count({ store: 'counts' });
  counts.toStream().to(topic('updates', RESULTS));
  counts.suppress().toStream().to(topic('finals', RESULTS));
  return testProgram(app.build());
}

const idOf = ({ key }: Datum) => JSON.stringify(key);
const ofTopic = (task: TestTask, name: string) => task.written.items.filter(({ topic: each }) => each === name);

test('of each window one result comes, the last of its updates, and none before time has passed it and its grace', () => {
  let held = 0;
  fc.assert(
    fc.property(numbered, fc.nat(), (data, seed) => {
      const task = new TestTask(program());
      let clock = -1;
      for (const record of data) {
        task.feed(record);
        clock = Math.max(clock, record.timestamp);
        const last = new Map(ofTopic(task, 'updates').map((each) => [idOf(each), { ...each, topic: 'finals' }]));
        const closed = [...last.values()].filter(({ key }) => (key as Windowed<string>).end + GRACE <= clock);
        assert.deepEqual(ofTopic(task, 'finals').map(idOf).sort(), closed.map(idOf).sort());
        for (const each of ofTopic(task, 'finals')) assert.deepEqual(each, last.get(idOf(each)));
        held += last.size - closed.length;
      }
      const ended = runPlainly(program(), data);
      assert.equal(ofTopic(ended, 'finals').length, new Set(ofTopic(ended, 'updates').map(idOf)).size);
      assert.deepEqual(outcomeOf(runDisturbed(program(), data, seed)), outcomeOf(ended));
    }),
    { numRuns: 60, seed: 508 },
  );
  assert.ok(held > 100, `${held} results were held`);
});
