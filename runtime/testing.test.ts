import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../connectors/connectors.ts';
import { isFlowError } from '../core/errors.ts';
import { avro, int64, string, windowed } from '../schemas/schemas.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const orderSchema = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'status', type: 'string' },
    { name: 'amount', type: 'long' },
  ],
} as const;
const order = avro(orderSchema);
const orders = topic('orders', { key: string(), value: order, partitions: 2 });
const paid = topic('paid', { key: string(), value: order, partitions: 2 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 3 });
const perMinute = topic('per-minute', { key: windowed(string(), 60_000), value: int64(), partitions: 3 });

const rows = (records: readonly { key: unknown; value: unknown; timestamp: number }[]) =>
  records.map(({ key, value, timestamp }) => ({ key, value, timestamp }));

test('a filter passes records on as they came, headers too', async () => {
  const app = topology('filtering');
  app
    .stream(orders)
    .filter((each) => each.status === 'paid')
    .to(paid);
  const driver = await TopologyDriver.open(app);
  const input = driver.input(orders);
  input.send('a', { status: 'paid', amount: 5 }, { timestamp: 10, headers: { trace: 'x1' } });
  input.send('b', { status: 'open', amount: 7 }, { timestamp: 11 });
  const [only, ...more] = driver.output(paid).read();
  assert.deepEqual(more, []);
  assert.equal(only?.key, 'a');
  assert.deepEqual({ ...only?.value }, { status: 'paid', amount: 5 });
  assert.equal(only?.timestamp, 10);
  assert.deepEqual(only?.headers, { trace: 'x1' });
});

test('a re-keyed count goes through its repartition topic and counts every record', async () => {
  const app = topology('counting');
  app
    .stream(orders)
    .groupBy((each) => each.status, { name: 'by-status', key: string(), partitions: 3 })
    .count({ store: 'by-status' })
    .toStream()
    .to(counts);
  const driver = await TopologyDriver.open(app);
  const input = driver.input(orders);
  input.send('a', { status: 'paid', amount: 5 }, { timestamp: 10 });
  input.send('b', { status: 'open', amount: 7 }, { timestamp: 11 });
  input.send('c', { status: 'paid', amount: 9 }, { timestamp: 12 });
  const read = rows(driver.output(counts).read()).sort((a, b) => a.timestamp - b.timestamp);
  assert.deepEqual(read, [
    { key: 'paid', value: 1, timestamp: 10 },
    { key: 'open', value: 1, timestamp: 11 },
    { key: 'paid', value: 2, timestamp: 12 },
  ]);
});

function minutes() {
  const app = topology('minutes');
  app
    .stream(orders)
    .groupBy((each) => each.status, { name: 'by-status', key: string(), partitions: 3 })
    .window(tumbling({ minutes: 1 }))
    .count({ store: 'per-minute' })
    .suppress()
    .toStream()
    .to(perMinute);
  return app;
}

test('a final result comes once, when stream time passes the window; late records are counted', async () => {
  const driver = await TopologyDriver.open(minutes());
  const input = driver.input(orders);
  const paidAt = (timestamp: number) => input.send('a', { status: 'paid', amount: 1 }, { timestamp });
  paidAt(1000);
  paidAt(59_999);
  assert.deepEqual(driver.output(perMinute).read(), []);
  paidAt(60_000);
  assert.deepEqual(rows(driver.output(perMinute).read()), [
    { key: { key: 'paid', start: 0, end: 60_000 }, value: 2, timestamp: 59_999 },
  ]);
  paidAt(2000);
  const dropped = Object.entries(driver.dropped());
  assert.equal(dropped.length, 1);
  assert.match(dropped[0]![0], / late$/);
  assert.equal(dropped[0]![1], 1);
});

test('at the end of bounded inputs every open window closes, also behind a connector', async () => {
  const app = topology('bounded');
  app
    .read(generator({ count: 100, make: (n) => ({ status: n % 2 === 0 ? 'even' : 'odd', amount: n }) }), {
      name: 'made',
      key: (each) => each.status,
      keySerde: string(),
      value: order,
      time: (each) => each.amount * 1000,
    })
    .repartition({ name: 'by-status', key: string(), value: order, partitions: 3 })
    .groupByKey()
    .window(tumbling({ minutes: 1 }))
    .count({ store: 'per-minute' })
    .suppress()
    .toStream()
    .to(perMinute);
  const driver = await TopologyDriver.open(app);
  await driver.end();
  const finals = rows(driver.output(perMinute).read()).map(({ key, value }) => {
    const { key: status, start } = key as { key: string; start: number };
    return `${status} ${start} ${value}`;
  });
  assert.deepEqual(finals.sort(), ['even 0 30', 'even 60000 20', 'odd 0 30', 'odd 60000 20']);
});

test('an operator that fails stops the run and names node, place and cure', async () => {
  const app = topology('failing');
  app
    .stream(orders)
    .mapValues((each) => {
      if (each.amount > 5) throw new Error('too much');
      return each;
    })
    .to(paid);
  const driver = await TopologyDriver.open(app);
  const input = driver.input(orders);
  input.send('a', { status: 'paid', amount: 5 });
  assert.throws(
    () => input.send('a', { status: 'paid', amount: 6 }),
    (thrown: unknown) => {
      assert.ok(isFlowError(thrown, 'record.failed'));
      assert.match(thrown.message, /mapValues.*orders\/\d position 1.*too much.*onFailure/s);
      return true;
    },
  );
});

test('with dead letters the record keeps its bytes, says why and from where, and nothing of it is left behind', async () => {
  const app = topology('letters');
  const stream = app.stream(orders);
  stream
    .groupByKey()
    .count({ store: 'seen' })
    .toStream()
    .to(topic('seen', { key: string(), value: int64(), partitions: 2 }));
  stream
    .mapValues((each) => {
      if (each.amount > 5) throw new Error('too much');
      return each;
    })
    .to(paid);
  const driver = await TopologyDriver.open(app, { onFailure: 'dead-letter' });
  const input = driver.input(orders);
  input.send('a', { status: 'paid', amount: 6 }, { timestamp: 4 });
  input.send('a', { status: 'paid', amount: 5 }, { timestamp: 5 });
  const [letter, ...more] = driver.deadLetters();
  assert.deepEqual(more, []);
  assert.equal(letter?.key?.toString(), 'a');
  assert.deepEqual({ ...order.decode(letter!.value!, 0, letter!.value!.length) }, { status: 'paid', amount: 6 });
  assert.equal(letter?.headers['nf.reason'], 'failed');
  assert.equal(letter?.headers['nf.message'], 'too much');
  assert.equal(letter?.headers['nf.topic'], 'orders');
  assert.match(letter?.headers['nf.node'] ?? '', /mapValues/);
  const seen = topic('seen', { key: string(), value: int64(), partitions: 2 });
  assert.deepEqual(
    driver
      .output(seen)
      .read()
      .map(({ value }) => value),
    [1],
  );
});

test('an undecodable record follows the policy of its source', async () => {
  const raw = topic('orders', { key: string(), value: string(), partitions: 2 });
  const app = topology('undecodable');
  app
    .stream(orders, { onUndecodable: 'skip' })
    .filter((each) => each.amount > 0)
    .to(paid);
  const driver = await TopologyDriver.open(app);
  driver.input(raw).send('a', 'x');
  driver.input(orders).send('a', { status: 'paid', amount: 1 });
  assert.equal(driver.output(paid).read().length, 1);
  assert.deepEqual(Object.values(driver.dropped()), [1]);
});

test('bytes of another schema are noticed though the fields that are read look like numbers', async () => {
  const numbers = avro({ type: 'record', name: 'Numbers', fields: [{ name: 'n', type: 'long' }] });
  const source = topic('numbers', { key: string(), value: numbers, partitions: 1 });
  const written = topic('numbers', { key: string(), value: string(), partitions: 1 });
  const app = topology('mismatch');
  app
    .stream(source, { onUndecodable: 'dead-letter' })
    .filter((each) => each.n < 0)
    .to(topic('negative', { key: string(), value: numbers, partitions: 1 }));
  const driver = await TopologyDriver.open(app);
  driver.input(written).send('a', '{"n":3}');
  driver.input(source).send('a', { n: -1 });
  assert.equal(driver.deadLetters().length, 1);
});

test('before a connector is read to its end, it holds no time back from what is sent by hand', async () => {
  const lines = topic('lines', { key: string(), value: string(), partitions: 2 });
  const counts = topic('counts', { key: windowed(string(), 1000), value: int64(), partitions: 2 });
  const app = topology('own-source');
  const source = generator({ count: 4, make: (n) => `${n}` });
  app.read(source, { name: 'made', key: (n) => n, keySerde: string(), value: string(), time: Number }).to(lines);
  app
    .stream(lines)
    .repartition({ name: 'again', key: string(), value: string(), partitions: 2 })
    .groupByKey()
    .window(tumbling(1000))
    .count({ store: 'counts' })
    .suppress()
    .toStream()
    .to(counts);
  const driver = await TopologyDriver.open(app);
  driver.input(lines).send('a', 'one', { timestamp: 100 });
  driver.input(lines).send('a', 'two', { timestamp: 1100 });
  assert.deepEqual(
    driver
      .output(counts)
      .read()
      .map(({ value }) => value),
    [1],
  );
});
