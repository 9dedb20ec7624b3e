import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { avro, double, json, string } from '../schemas/schemas.ts';
import { functionOf, isExpression, type PlanNode } from '../topology/plan.ts';
import { expr, planHash, type Stream, topic, topology, tumbling, validatePlan } from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const order = avro({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'customer', type: 'string' },
    { name: 'total', type: 'double' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'items', type: { type: 'array', items: 'string' } },
  ],
});
interface Order {
  readonly customer: string;
  readonly total: number;
  readonly note: string | null;
  readonly items: readonly string[];
}
const orders = topic('orders', { key: string(), value: order, partitions: 1 });
const customers = topic('customers', { key: string(), value: json<{ tier: string }>(), partitions: 1 });
const texts = topic('texts', { key: string(), value: string(), partitions: 1 });
const numbers = topic('numbers', { key: string(), value: double(), partitions: 1 });
const sums = topic('sums', { key: string(), value: double(), partitions: 1 });

const INPUT: readonly Order[] = [
  { customer: 'ann', total: 120, note: null, items: ['a', 'b'] },
  { customer: 'bob', total: 80, note: 'gift', items: [] },
  { customer: 'ann', total: 101, note: 'fast', items: ['c'] },
];

type Orders = Stream<string, Order, 1>;

async function outputs(build: (stream: Orders) => void): Promise<unknown> {
  const app = topology('app');
  build(app.stream(orders) as unknown as Orders);
  const driver = await TopologyDriver.open(app);
  const input = driver.input(orders);
  for (const [i, value] of INPUT.entries()) {
    input.send(`k${i}`, { ...value, items: [...value.items] }, { timestamp: i * 1000 });
  }
  const read = [texts, numbers, sums].map((one) => {
    const known = app.build().plan.topics.some(({ name }) => name === one.name);
    return known
      ? driver
          .output(one as typeof texts)
          .read()
          .map(({ key, value }) => [key, value])
      : [];
  });
  return read;
}

const PAIRS: readonly (readonly [name: string, expression: (s: Orders) => void, lambda: (s: Orders) => void])[] = [
  [
    'filter, mapValues',
    (s) => s.filter(expr('value.total > 100')).mapValues(expr<number>('value.total * 2')).to(numbers),
    (s) =>
      s
        .filter((value) => value.total > 100)
        .mapValues((value) => value.total * 2)
        .to(numbers),
  ],
  [
    'filterNot by the key, selectKey',
    (s) =>
      s
        .filterNot(expr('key == "k0"'))
        .selectKey(expr<string>('value.customer'))
        .mapValues(expr<string>('value.customer + "!"'))
        .to(texts),
    (s) =>
      s
        .filterNot((_, key) => key === 'k0')
        .selectKey((value) => value.customer)
        .mapValues((value) => `${value.customer}!`)
        .to(texts),
  ],
  [
    'map, flatMap',
    (s) => {
      s.map(expr<[string, number]>('[value.customer, value.total]')).to(numbers);
      s.flatMap(expr<[string, string][]>('value.items.map(i, [key, i])')).to(texts);
    },
    (s) => {
      s.map((value) => [value.customer, value.total] as const).to(numbers);
      s.flatMap((value, key) => value.items.map((item) => [key, item] as const)).to(texts);
    },
  ],
  [
    'branch',
    (s) => {
      const { noted, rest } = s.branch({ noted: expr('value.note != null'), rest: true });
      noted.mapValues(expr<string>('value.note')).to(texts);
      rest.mapValues(expr<number>('value.items.size()')).to(numbers);
    },
    (s) => {
      const { noted, rest } = s.branch({ noted: (value) => value.note !== null, rest: true });
      noted.mapValues((value) => value.note!).to(texts);
      rest.mapValues((value) => value.items.length).to(numbers);
    },
  ],
  [
    'aggregate, windows, ready aggregates',
    (s) => {
      const grouped = s.groupBy(expr<string>('value.customer'), { name: 'by', key: string(), partitions: 1 });
      grouped
        .aggregate({ store: 'sum', value: double(), initial: expr<number>('0'), add: expr('aggregate + value.total') })
        .toStream()
        .to(numbers);
      grouped
        .sum({ store: 'ready', of: expr<number>('value.total') })
        .toStream()
        .to(sums);
    },
    (s) => {
      const grouped = s.groupBy((value) => value.customer, { name: 'by', key: string(), partitions: 1 });
      grouped
        .aggregate({ store: 'sum', value: double(), initial: () => 0, add: (sum: number, value) => sum + value.total })
        .toStream()
        .to(numbers);
      grouped
        .sum({ store: 'ready', of: (value) => value.total })
        .toStream()
        .to(sums);
    },
  ],
];

for (const [name, expressions, lambdas] of PAIRS) {
  test(`expressions do what lambdas do: ${name}`, async () => {
    const written = await outputs(expressions);
    assert.deepEqual(written, await outputs(lambdas));
    assert.ok((written as unknown[][]).some((rows) => rows.length > 0));
  });
}

function program(source: string) {
  const app = topology('app');
  app
    .stream(orders)
    .filter(expr(source))
    .to(topic('kept', { key: string(), value: order, partitions: 1 }));
  return app;
}

test('the plan holds the expression itself, and no code', () => {
  const { plan, code } = program('value.total > 100').build();
  const node = plan.nodes.find(({ kind }) => kind === 'filter') as Extract<PlanNode, { kind: 'filter' }>;
  assert.equal(node.fn, '= value.total > 100');
  assert.ok(isExpression(node.fn));
  assert.throws(() => code.fn('filter:orders:1/fn'), /no code/);
  assert.deepEqual(validatePlan(JSON.parse(JSON.stringify(plan))), []);
  assert.equal(planHash(plan), planHash(program('value.total > 100').build().plan));
  assert.notEqual(planHash(plan), planHash(program('value.total > 101').build().plan));
});

test('faults name the node and the cure, all at once', () => {
  const app = topology('app');
  const stream = app.stream(orders);
  stream.filter(expr('value.totl > 100 && valu == 1')).to(texts as never);
  stream.mapValues(expr('1 +')).to(texts as never);
  stream.filter(expr('value.customer')).to(texts as never);
  stream.peek(expr('true')).to(texts as never);
  assert.throws(
    () => app.build(),
    (thrown) => {
      assert.ok(isFlowError(thrown, 'plan.invalid'));
      for (const part of [
        'the expression "value.totl > 100 && valu == 1" of filter:orders:1, line 1, column 1: there is no field totl; Did you mean total or note?',
        'column 21: there is no variable valu; Did you mean value?',
        'of mapValues:orders:1, line 1, column 4: the end stands where a value is wanted',
        'of filter:orders:2, line 1, column 1: it answers string, and bool is wanted',
        'peek:orders:1 cannot have an expression as its fn; write a function',
      ]) {
        assert.ok(thrown.message.includes(part), `${part}\n${thrown.message}`);
      }
      return true;
    },
  );
});

test('a value that may be null by its own type is not told as null twice', () => {
  const app = topology('app');
  const notes = topic('notes', { key: string(), value: avro(['null', 'string']), partitions: 1 });
  app
    .stream(notes)
    .filter(expr('value'))
    .to(texts as never);
  assert.throws(() => app.build(), /: it answers string or null, and bool is wanted/);
});

test('a failure stops at its record and names the place in the expression', async () => {
  const app = topology('app');
  app.stream(texts).mapValues(expr<number>('int(value)')).to(numbers);
  const driver = await TopologyDriver.open(app);
  assert.throws(
    () => driver.input(texts).send('a', 'x'),
    /mapValues:texts:1[\s\S]*int\(value\)[\s\S]*cannot read the text "x"/,
  );
});

test('nothing is decoded that the expression does not read', () => {
  const built = program('value.total > 100').build();
  const node = built.plan.nodes.find(({ kind }) => kind === 'filter') as Extract<PlanNode, { kind: 'filter' }>;
  const fn = functionOf<(value: unknown) => boolean>(built, node, 'fn', node.fn);
  assert.equal(fn.length, 1, 'the key is not decoded');
  const out = new ByteWriter();
  order.encode({ customer: 'ann', total: 120, note: 'x', items: ['a'] }, out);
  const bytes = Buffer.from(out.bytes.subarray(0, out.at));
  // behind the fields that are read, nothing can be decoded
  bytes.fill(255, 1 + 3 + 8);
  const view = order.view()(bytes as never, 0, bytes.length);
  assert.throws(() => view.items);
  assert.equal(fn(view), true);
});

test('time, gap, merge and merge of tables', async () => {
  const app = topology('app');
  const table = app.table(customers, { store: 'customers' });
  app
    .stream(orders)
    .selectKey(expr<string>('value.customer'))
    .repartition({ name: 'by', key: string(), partitions: 1 })
    .leftJoinTable(table, { merge: expr<string>('row == null ? "none" : row.tier + value.customer') })
    .to(texts);
  app
    .stream(numbers, { time: expr<number>('value') })
    .groupByKey()
    .window(tumbling({ seconds: 1 }))
    .reduce({ store: 'max', value: double(), add: expr('max(aggregate, value)') });
  const driver = await TopologyDriver.open(app);
  driver.input(customers).send('ann', { tier: 'gold' });
  for (const value of INPUT) driver.input(orders).send('k', { ...value, items: [...value.items] });
  assert.deepEqual(
    driver
      .output(texts)
      .read()
      .map(({ value }) => value),
    ['goldann', 'none', 'goldann'],
  );
});

test('types: an expression answers what is wanted', () => {
  const stream = topology('types').stream(orders);
  const kept = stream.filter(expr('value.total > 1'));
  const text: Stream<string, string, 1> = kept.mapValues(expr<string>('value.customer'));
  // @ts-expect-error a filter wants a bool
  stream.filter(expr<string>('value.customer'));
  // @ts-expect-error the stream has strings
  const wrong: Stream<string, number, 1> = text;
  assert.ok(wrong);
});
