import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import { int64, json, string, windowed } from '../schemas/schemas.ts';
import type { Plan } from './plan.ts';
import {
  hopping,
  keyValueStore,
  planHash,
  type SourceLike,
  topic,
  topology,
  tumbling,
  validatePlan,
} from './topology.ts';

interface Order {
  readonly status: string;
  readonly amount: number;
}
const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 4 });
const customers = topic('customers', { key: string(), value: json<{ tier: string }>(), partitions: 4 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });

const ids = (plan: Plan) => plan.nodes.map((node) => node.id);
const made: SourceLike<Order> = { description: { made: true }, bounded: true, open: async () => assert.fail() };
const readOptions = {
  name: 'made',
  key: (o: Order) => o.status,
  keySerde: string(),
  value: json<Order>(),
  time: () => 0,
};

test('ids are the user’s names, or kind, nearest named ancestor and ordinal', () => {
  const t = topology('ids');
  const paid = t
    .stream(orders)
    .filter((order) => order.status === 'paid')
    .filterNot((order) => order.amount === 0);
  paid
    .groupBy((order) => order.status, { name: 'by-status', key: string(), partitions: 2 })
    .count({ store: 'per-status' });
  const { large, rest } = paid.branch({ large: (order) => order.amount > 100, rest: true });
  large.peek(() => {}).to(orders2);
  rest.to(orders2);
  assert.deepEqual(ids(t.build().plan), [
    'source:orders',
    'filter:orders:1',
    'filter:orders:2',
    'selectKey:orders:1',
    'repartition:by-status',
    'aggregate:per-status',
    'branch:orders:1',
    'arm:orders.large',
    'arm:orders.rest',
    'peek:orders.large:1',
    'to:orders.large.orders2',
    'to:orders.rest.orders2',
  ]);
});
const orders2 = topic('orders2', { key: string(), value: json<Order>(), partitions: 4 });

test('hard place 25: ids of one part stay when another part changes', () => {
  const build = (more: boolean) => {
    const t = topology('stable');
    if (more)
      t.stream(customers)
        .filter(() => true)
        .mapValues(() => 1)
        .groupByKey()
        .count({ store: 'other' });
    t.stream(orders)
      .filter(() => true)
      .mapValues((o) => o.amount)
      .groupByKey()
      .count({ store: 'mine' })
      .toStream()
      .to(counts);
    return t.build().plan;
  };
  const alone = ids(build(false));
  assert.deepEqual(
    ids(build(true)).filter((id) => alone.includes(id)),
    alone,
  );
});

test('a plan is frozen throughout, holds no code, and finds it by reference', () => {
  const t = topology('code');
  const keep = (order: Order) => order.amount > 1;
  t.stream(orders, { time: (order) => order.amount })
    .filter(keep)
    .to(orders2);
  const { plan, code } = t.build();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.ok(Object.isFrozen(value));
    Object.values(value).forEach(walk);
  };
  walk(plan);
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  assert.equal(code.fn('filter:orders:1/fn'), keep);
  assert.equal(code.serde('string').name, 'string');
  assert.throws(() => code.fn('filter:orders:2/fn'), /no code for filter:orders:2/);
  assert.throws(() => code.serde('nothing'), /no serde nothing/);
});

test('invariant 36: one topic is one source; asked for otherwise, it is refused', () => {
  const t = topology('shared');
  const time = (order: Order) => order.amount;
  t.stream(orders, { time }).to(orders2);
  t.stream(orders, { time }).groupByKey().count({ store: 'seen' });
  assert.equal(t.build().plan.nodes.filter((node) => node.kind === 'source').length, 1);
  t.stream(orders);
  assert.throws(() => t.build(), /topic orders is read 2 times as streams that differ/);
});

test('a windowed aggregate has windowed keys outside and plain keys in its store', () => {
  const t = topology('windows');
  t.stream(orders)
    .groupByKey()
    .window(hopping({ minutes: 2 }, { advance: { minutes: 1 }, grace: { seconds: 5 } }))
    .count({ store: 'w' })
    .suppress()
    .toStream()
    .to(topic('out', { key: windowed(string(), 120_000), value: int64(), partitions: 4 }));
  const { plan, code } = t.build();
  const [store] = plan.stores;
  assert.deepEqual(store, {
    name: 'w',
    kind: 'window',
    key: 'string',
    value: 'int64',
    retentionMs: 125_000,
    nodes: ['aggregate:w'],
  });
  assert.equal(plan.nodes.find((node) => node.kind === 'suppress')?.key, 'windowed(string,120000)');
  assert.equal(code.serde('windowed(string,120000)').name, 'windowed(string,120000)');
});

test('a user operator shares the store of a table by declaring it alike', () => {
  const t = topology('sharing');
  t.table(customers, { store: 'customers' });
  const stores = [keyValueStore('customers', { key: string(), value: json<{ tier: string }>() })];
  t.stream(orders).processValues({ name: 'look', stores, supplier: () => ({ process() {} }) });
  const { plan } = t.build();
  assert.equal(plan.stages.length, 1);
  assert.deepEqual(plan.stores[0]!.nodes, ['table:customers', 'process:look']);
});

test('build tells all faults in one error', () => {
  const t = topology('bad name');
  t.stream(orders)
    .mapValues(() => 1)
    .repartition({ name: 'numbers', key: string(), partitions: 2 })
    .groupByKey()
    .count({ store: 'nf.count' });
  t.read(made, readOptions);
  assert.throws(
    () => t.build(),
    (thrown: unknown) => {
      assert.ok(isFlowError(thrown, 'plan.invalid'));
      assert.match(thrown.message, /the application name "bad name" may hold only/);
      assert.match(thrown.message, /store name "nf.count" begins with nf\., which the engine keeps/);
      assert.match(thrown.message, /repartition topic nf\.bad name\.numbers\.repartition has no value serde/);
      return true;
    },
  );
});

test('equal topologies are equal plans; the order of fields does not matter, everything else does', () => {
  const build = (size: number) => {
    const t = topology('equal');
    t.stream(orders).groupByKey().window(tumbling(size)).count({ store: 'w' });
    return t.build().plan;
  };
  assert.equal(JSON.stringify(build(10)), JSON.stringify(build(10)));
  assert.equal(planHash(build(10)), planHash(build(10)));
  assert.notEqual(planHash(build(10)), planHash(build(11)));
  const plan = build(10);
  const turned = Object.fromEntries(Object.entries(plan).reverse()) as unknown as Plan;
  assert.equal(planHash(turned), planHash(plan));
  assert.deepEqual(validatePlan(turned), []);
});
