import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Serde, string, windowed } from '../schemas/schemas.ts';
import { hopping, type Topology, topic, topology, tumbling } from '../topology/topology.ts';
import { testProgram } from './testing/everything.ts';
import { TestTask } from './testing/test-task.ts';

/**
 * What becomes of null values in aggregates of streams, as Kafka Streams has it (vectors `agg-stream-count` and
 * `win-null`): without windows they are dropped and counted, windows see them.
 */
type Text = string | null;
const value = string() as Serde<Text>;
const source = topic('in', { key: string(), value, partitions: 1 });
const out = topic('out', { key: string(), value: string(), partitions: 1 });
const windowsOut = topic('out', { key: windowed(string(), 10), value: string(), partitions: 1 });
const add = (all: Text, next: Text): Text => `${all}+${next}`;
const initial = (): Text => '0';

function run(define: (app: Topology) => void): TestTask {
  const app = topology('nulls');
  define(app);
  const task = new TestTask(testProgram(app.build()));
  const row = (text: Text, timestamp: number) => ({ topic: 'in', key: 'k', value: text, timestamp });
  task.feed(row('a', 1), row(null, 2), row('b', 3));
  return task;
}

function outcome(task: TestTask): readonly [values: readonly unknown[], drops: readonly string[]] {
  return [task.written.items.map((each) => each.value), task.dropped.items.map(({ reason }) => reason)];
}

test('without windows null values are dropped', () => {
  const grouped = (app: Topology) => app.stream(source).groupByKey();
  const counts = run((app) => grouped(app).count({ store: 's' }).toStream().mapValues(String).to(out));
  assert.deepEqual(outcome(counts), [['1', '2'], ['null-value']]);
  const reduced = run((app) => grouped(app).reduce({ store: 's', value, add }).toStream().mapValues(String).to(out));
  assert.deepEqual(outcome(reduced), [['a', 'a+b'], ['null-value']]);
  const sums = run((app) =>
    grouped(app).aggregate({ store: 's', value, initial, add }).toStream().mapValues(String).to(out),
  );
  assert.deepEqual(outcome(sums), [['0+a', '0+a+b'], ['null-value']]);
});

for (const window of [tumbling(10), hopping(10, { advance: 10 })]) {
  test(`${window.type} windows see null values`, () => {
    const grouped = (app: Topology) => app.stream(source).groupByKey().window(window);
    const counts = run((app) => grouped(app).count({ store: 's' }).toStream().mapValues(String).to(windowsOut));
    assert.deepEqual(outcome(counts), [['1', '2', '3'], []]);
    const sums = run((app) =>
      grouped(app).aggregate({ store: 's', value, initial, add }).toStream().mapValues(String).to(windowsOut),
    );
    assert.deepEqual(outcome(sums), [['0+a', '0+a+null', '0+a+null+b'], []]);
    const cogroups = run((app) => {
      const cogroup = app.stream(source).groupByKey().cogroup(add).window(window);
      cogroup.aggregate({ store: 's', value, initial }).toStream().mapValues(String).to(windowsOut);
    });
    assert.deepEqual(outcome(cogroups), outcome(sums));
  });
}
