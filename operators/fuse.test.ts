import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { fanOut, fuse, NOWHERE } from './operators.ts';
import { Rec } from './record.ts';
import { testProgram } from './testing/everything.ts';
import { TestTask } from './testing/test-task.ts';

const source = topic('in', { key: string(), value: int64(), partitions: 1 });
const counts = topic('out', { key: windowed(string(), 10), value: int64(), partitions: 1 });

test('finals leave an aggregate by a port of their own, arms a branch by theirs', () => {
  const app = topology('ports');
  const stream = app.stream(source);
  const table = stream.groupByKey().window(tumbling(10)).count({ store: 'c' });
  table.suppress().toStream().to(counts);
  stream
    .branch({ even: (value) => (value ?? 0) % 2 === 0, rest: true })
    .rest.to(topic('rest', { key: string(), value: int64(), partitions: 1 }));
  const { nodes } = app.build().plan;
  const ports = fuse(nodes);
  const kinds = (id: string) => ports.get(id)!.map((wires) => wires.map(({ node }) => node.kind));
  const idOf = (kind: string) => nodes.find((node) => node.kind === kind)!.id;
  assert.deepEqual(kinds(idOf('aggregate')), [[], ['suppress']]);
  assert.deepEqual(kinds(idOf('branch')), [['arm'], ['arm']]);
  assert.deepEqual(kinds(idOf('source')), [['aggregate', 'branch']]);
});

test('a push that leads nowhere stays nowhere, through merges and joins too', () => {
  assert.equal(fanOut([]), NOWHERE);
  assert.equal(fanOut([NOWHERE, NOWHERE]), NOWHERE);
  const seen: number[] = [];
  const push = (n: number) => () => seen.push(n);
  const one = push(1);
  assert.equal(fanOut([NOWHERE, one]), one);
  fanOut([one, push(2)])(new Rec());
  fanOut([push(3), push(4), NOWHERE, push(5)])(new Rec());
  assert.deepEqual(seen, [1, 2, 3, 4, 5]);
});

test('panes go when they have closed and a newer one lies ahead by their span, or by the retention', () => {
  for (const [retention, left] of [
    [undefined, [30]],
    [25, [10, 20, 30]],
  ] as const) {
    const app = topology('panes');
    const kept = retention === undefined ? {} : { retention };
    const table = app
      .stream(source)
      .groupByKey()
      .window(tumbling(10))
      .count({ store: 'c', ...kept });
    table.suppress().toStream().to(counts);
    const task = new TestTask(testProgram(app.build()));
    for (const timestamp of [1, 11, 20, 29, 30]) task.feed({ topic: 'in', key: 'a', value: 1, timestamp });
    assert.deepEqual(task.table('c').panes(), left, `retention ${retention}`);
    assert.deepEqual(
      task.written.items.map(({ value, timestamp }) => [value, timestamp]),
      [
        [1, 1],
        [1, 11],
        [2, 29],
      ],
    );
  }
});

test('after the end, windows that have closed take nothing more and newer ones do', () => {
  const app = topology('ended');
  const table = app
    .stream(source)
    .groupByKey()
    .window(tumbling(10, { grace: 5 }))
    .count({ store: 'c' });
  table.suppress().toStream().to(counts);
  const task = new TestTask(testProgram(app.build()));
  task.feed({ topic: 'in', key: 'a', value: 1, timestamp: 12 });
  task.end();
  task.feed({ topic: 'in', key: 'a', value: 1, timestamp: 13 }, { topic: 'in', key: 'a', value: 1, timestamp: 21 });
  task.end();
  task.end();
  assert.deepEqual(
    task.written.items.map(({ timestamp }) => timestamp),
    [12, 21],
  );
  assert.deepEqual(
    task.dropped.items.map(({ reason }) => reason),
    ['late'],
  );
});
