import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avro, double, string } from '../schemas/schemas.ts';
import { expr, session, type Topology, topic, topology } from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const row = avro({
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'n', type: 'int' },
    { name: 'to', type: 'string' },
  ],
});
const rows = topic('rows', { key: string(), value: row, partitions: 1 });
const others = topic('others', { key: string(), value: row, partitions: 1 });
const numbers = topic('numbers', { key: string(), value: double(), partitions: 1 });
const events = topic('events', { key: string(), value: string(), partitions: 1 });
const texts = topic('texts', { key: string(), value: string(), partitions: 1 });

type Sent = (driver: TopologyDriver) => void;

async function written(build: (app: Topology) => void, sent: readonly Sent[]): Promise<readonly string[]> {
  const app = topology('app');
  build(app);
  const driver = await TopologyDriver.open(app);
  for (const send of sent) send(driver);
  return driver
    .output(texts)
    .read()
    .map(({ key, value }) => `${key}=${value}`);
}

const rowIs =
  (to: typeof rows, key: string, n: number): Sent =>
  (driver) =>
    driver.input(to).send(key, { n, to: 'x' });
const event =
  (key: string): Sent =>
  (driver) =>
    driver.input(events).send(key, 'e');

const ROWS: readonly Sent[] = [
  rowIs(rows, 'a', 2),
  rowIs(others, 'a', 7),
  rowIs(others, 'x', 8),
  rowIs(rows, 'b', 1),
  rowIs(others, 'b', 9),
  rowIs(rows, 'x', 3),
];

test('a table without a store is looked into by its own expressions: from a table', async () => {
  const build = (app: Topology) =>
    app
      .table(rows, { store: 'rows' })
      .filter(expr('value.n > 1 && key != "x"'))
      .mapValues(expr<string>('key + value.to + string(value.n)'))
      .joinTable(app.table(others, { store: 'others' }), { merge: expr<string>('left + string(right.n)') })
      .toStream()
      .to(texts);
  assert.deepEqual(await written(build, ROWS), ['a=ax27']);
});

test('a table without a store is looked into by its own expressions: from a stream', async () => {
  const build = (app: Topology) => {
    const table = app.table(rows, { store: 'rows' }).filter(expr('value.n > 1 && key != "x"'));
    const joined = table.joinTable(app.table(others, { store: 'others' }), {
      merge: expr<string>('key + string(left.n) + string(right.n)'),
    });
    const stream = app.stream(events);
    stream.joinTable(table, { merge: expr<string>('value + string(row.n)') }).to(texts);
    stream.joinTable(joined, { merge: expr<string>('value + row') }).to(texts);
  };
  assert.deepEqual(await written(build, [...ROWS, event('a'), event('b'), event('x')]), ['a=e2', 'a=ea27']);
});

test('a table without a store is looked into by its own expressions: from a join by foreign key', async () => {
  const build = (app: Topology) =>
    app
      .table(rows, { store: 'rows' })
      .joinForeign(app.table(others, { store: 'others' }).filter(expr('value.n > 7 && key != "y"')), {
        name: 'fk',
        foreignKey: expr<string>('value.to'),
        merge: expr<string>('string(left.n) + string(right.n)'),
      })
      .toStream()
      .to(texts);
  assert.deepEqual((await written(build, ROWS)).toSorted(), ['a=28', 'b=18', 'x=38']);
});

test('one source in two roles of a node is compiled for each: a join with a global table', async () => {
  const build = (app: Topology) =>
    app
      .stream(rows)
      .joinGlobal(app.globalTable(others, { store: 'others' }), {
        key: expr<string>('key'),
        merge: expr<string>('key'),
      })
      .to(texts);
  assert.deepEqual(await written(build, [rowIs(others, 'a', 7), rowIs(rows, 'a', 2)]), ['a=a']);
});

test('one source in two roles of a node is compiled for each: the gap of a session', async () => {
  const build = (app: Topology) =>
    app
      .stream(numbers)
      .groupByKey()
      .window(session({ gap: expr<number>('value'), grace: 0 }))
      .reduce({ store: 'last', value: double(), add: expr<number>('value') })
      .toStream()
      .map(expr<readonly [string, string]>('["a", value == null ? "none" : string(value)]'))
      .to(texts);
  const number =
    (value: number, timestamp: number): Sent =>
    (driver) =>
      driver.input(numbers).send('a', value, { timestamp });
  assert.deepEqual(await written(build, [number(10, 0), number(5, 8), number(7, 20)]), [
    'a=10',
    'a=none',
    'a=5',
    'a=7',
  ]);
});

test('one source in two roles of a node is compiled for each: the members of a cogroup', async () => {
  const add = 'aggregate + string(value)';
  const build = (app: Topology) =>
    app
      .stream(events)
      .groupByKey()
      .cogroup(expr<string>(add))
      .cogroup(app.stream(numbers).groupByKey(), expr<string>(add))
      .aggregate({ store: 'all', value: string(), initial: expr<string>('""') })
      .toStream()
      .to(texts);
  const number: Sent = (driver) => driver.input(numbers).send('a', 5);
  assert.deepEqual(await written(build, [event('a'), number]), ['a=e', 'a=e5']);
});
