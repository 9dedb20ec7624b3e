import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { type Topology, topic, topology, tumbling } from '../topology/topology.ts';
import { PlanIndex } from './stage.ts';
import { StageTimes } from './stage-times.ts';
import { lawProgram } from './time-law.testing.ts';

function timesOf(app: Pick<Topology, 'build'>) {
  const { plan } = app.build();
  const specs = plan.stages.flatMap(({ id, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ id: `${id}_${partition}`, stage: id })),
  );
  const times = new StageTimes(new PlanIndex(plan), specs);
  return plan.stages.map((stage) => [
    stage.id,
    times.hasClock(stage),
    times.writes(stage).map(({ name }) => name),
    stage.reads.flatMap((each) => times.upstream(stage, each)),
  ]);
}

const numbers = (name: string, partitions: number) => topic(name, { key: string(), value: int64(), partitions });
const wide = (partitions: number) => topic('out', { key: windowed(string(), 10), value: int64(), partitions });

test('with one task before each, every operator goes by its records, and nothing is told', () => {
  assert.deepEqual(timesOf({ build: () => lawProgram({ sources: 1, middle: 1, last: 1 }) }), [
    ['source.in', false, [], []],
    ['repartition.first', false, [], []],
    ['repartition.second', false, [], []],
  ]);
});

test('a stage has a clock behind several tasks, and behind a stage that has one', () => {
  const told = timesOf({ build: () => lawProgram({ sources: 2, middle: 1, last: 1 }) });
  assert.deepEqual(told, [
    ['source.in', false, ['nf.law.first.repartition'], []],
    ['repartition.first', true, ['nf.law.second.repartition'], ['source.in_0', 'source.in_1']],
    ['repartition.second', true, [], ['repartition.first_0']],
  ]);
});

test('a stage behind one task has a clock too where one that has a clock stands behind it', () => {
  const told = timesOf({ build: () => lawProgram({ sources: 1, middle: 2, last: 1 }) });
  assert.deepEqual(told, [
    ['source.in', false, ['nf.law.first.repartition'], []],
    ['repartition.first', true, ['nf.law.second.repartition'], ['source.in_0']],
    ['repartition.second', true, [], ['repartition.first_0', 'repartition.first_1']],
  ]);
});

test('where nothing goes by time, nothing is told', () => {
  const app = topology('plain');
  app
    .stream(numbers('in', 4))
    .groupBy((value) => String(value), { name: 'by', key: string(), partitions: 4 })
    .count({ store: 'counts' })
    .toStream()
    .to(numbers('counts', 4));
  assert.deepEqual(
    timesOf(app).map(([, ...rest]) => rest),
    [
      [false, [], []],
      [false, [], []],
    ],
  );
});

test('a declared watermark gives its stage a clock; a topic of the user tells nothing', () => {
  const app = topology('declared');
  const between = numbers('between', 2);
  app.stream(numbers('in', 2)).to(between);
  app
    .stream(between, { watermark: { maxOutOfOrderness: 5 } })
    .groupByKey()
    .window(tumbling(10))
    .count({ store: 'counts' })
    .toStream()
    .to(wide(2));
  assert.deepEqual(timesOf(app), [
    ['source.in', false, [], []],
    ['source.between', true, [], []],
  ]);
});
