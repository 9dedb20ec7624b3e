import assert from 'node:assert/strict';
import { test } from 'node:test';
import { string } from '../schemas/schemas.ts';
import { type Topology, topic, topology, validatePlan } from './topology.ts';

const texts = { key: string(), value: string(), partitions: 2 } as const;
const orders = topic('orders', texts);
const rows = topic('rows', texts);
const merge = (value: string, row: string | null) => `${value} ${row}`;

function nullKeys(write: (app: Topology) => void): { readonly [name: string]: string } {
  const app = topology('app');
  write(app);
  const { nodes } = app.build().plan;
  return Object.fromEntries(nodes.flatMap((node) => (node.kind === 'repartition' ? [[node.id, node.nullKeys]] : [])));
}

test('a repartition drops records without a key, before an inner join too', () => {
  const found = nullKeys((app) => {
    const keyed = app
      .stream(orders)
      .selectKey((value) => value)
      .repartition({ name: 'again', ...texts });
    keyed.groupByKey().count({ store: 'counts' });
    keyed.joinTable(app.table(rows, { store: 'rows' }), { merge });
  });
  assert.deepEqual(found, { 'repartition:again': 'drop' });
});

test('it keeps them for all that follows where a left join lies behind, through another repartition too', () => {
  const found = nullKeys((app) => {
    const first = app.stream(orders).repartition({ name: 'first', ...texts });
    first.groupByKey().count({ store: 'counts' });
    const second = first.filter((value) => value !== '').repartition({ name: 'second', ...texts });
    second.leftJoinTable(app.table(rows, { store: 'rows' }), { merge });
    app
      .stream(orders)
      .selectKey((value) => value)
      .repartition({ name: 'beside', ...texts });
  });
  assert.deepEqual(found, { 'repartition:first': 'keep', 'repartition:second': 'keep', 'repartition:beside': 'drop' });
});

test('it keeps them on both sides of a left or outer join of streams', () => {
  const found = nullKeys((app) => {
    const again = (name: string) =>
      app
        .stream(orders)
        .selectKey((value) => value)
        .repartition({ name, ...texts });
    const within = { before: 1, after: 1 };
    again('a').joinStream(again('b'), { name: 'inner', within, merge });
    again('c').leftJoinStream(again('d'), { name: 'left', within, merge });
    again('e').outerJoinStream(again('f'), { name: 'outer', within, merge: (value) => value });
  });
  assert.deepEqual(found, {
    'repartition:a': 'drop',
    'repartition:b': 'drop',
    'repartition:c': 'keep',
    'repartition:d': 'keep',
    'repartition:e': 'keep',
    'repartition:f': 'keep',
  });
});

test('what only a table is made of is dropped', () => {
  const found = nullKeys((app) => {
    const stream = app.stream(orders);
    const keyed = stream.selectKey((value) => value).repartition({ name: 'again', ...texts });
    const add = (sum: string, value: string) => sum + value;
    const table = keyed.groupByKey().reduce({ store: 'table', value: string(), add });
    app.stream(rows).leftJoinTable(table, { merge });
  });
  assert.deepEqual(found, { 'repartition:again': 'drop' });
});

test('a plan that says it otherwise is refused', () => {
  const app = topology('app');
  app.stream(orders).repartition({ name: 'again', ...texts });
  const { plan } = app.build();
  const nodes = plan.nodes.map((node) => (node.kind === 'repartition' ? { ...node, nullKeys: 'keep' as const } : node));
  const [fault] = validatePlan({ ...plan, nodes });
  assert.equal(fault?.node, 'repartition:again');
  assert.match(fault?.message ?? '', /says keep for records without a key, and what lies behind it makes it drop/);
});
