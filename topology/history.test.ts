import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, string } from '../schemas/schemas.ts';
import { describe } from './describe.ts';
import type { Plan } from './plan.ts';
import { keyValueStore, sessionStore, topic, topology, validatePlan, versionedStore } from './topology.ts';

const FORMATS = { key: string(), value: int64(), partitions: 3 } as const;
const orders = topic('orders', FORMATS);
const prices = topic('prices', FORMATS);
const merge = (order: number, price: number | null) => order * (price ?? 0);

/** A join as a front end without types may ask for it. */
function joined(table: object, join: object) {
  const app = topology('shop');
  const stream = app.stream(orders) as unknown as { joinTable(table: object, options: object): unknown };
  stream.joinTable(app.table(prices, { store: 'prices', ...table }), { merge, ...join });
  return app;
}

test('a table with history has its earlier rows in a store beside it, and joins use both', () => {
  const app = topology('shop');
  const table = app.table(prices, { store: 'prices', history: { hours: 1 } });
  app.stream(orders).joinTable(table, { merge, name: 'priced', grace: { minutes: 5 } });
  const { plan } = app.build();
  const retentionMs = 3_600_000;
  const common = { key: 'string', value: 'int64', retentionMs };
  const nodes = ['table:prices', 'joinTable:priced'];
  assert.deepEqual(plan.stores, [
    { ...common, name: 'priced', kind: 'buffer', retentionMs: null, nodes: ['joinTable:priced'] },
    { ...common, name: 'prices', kind: 'versioned', nodes },
    { ...common, name: 'prices.history', kind: 'history', nodes },
  ]);
  assert.equal(plan.stages.length, 1);
  assert.match(describe(plan, 'text'), /joinTable:priced .* inner, store prices, grace 5 min/);
});

test('grace needs a table with history, and one that is long enough', () => {
  assert.throws(() => joined({}, { name: 'wait', grace: 5 }).build(), {
    code: 'plan.invalid',
    message:
      /joinTable:wait: a grace of 5 ms needs a table with history, and store prices keeps none; give the table a history of at least 5 ms/,
  });
  assert.throws(() => joined({ history: 50 }, { name: 'wait', grace: 100 }).build(), {
    message: /joinTable:wait: the grace of 100 ms is longer than the history of store prices, 50 ms; shorten the grace/,
  });
  assert.throws(() => joined({ history: 50 }, { grace: 5 }).build(), { message: /the store name "" is empty/ });
  joined({ history: 50 }, { name: 'wait', grace: 50 }).build();
  joined({ history: 0 }, { name: 'wait', grace: 0 }).build();
});

test('a table made row by row of one with history has it too, but not one that keeps its own rows', () => {
  const build = (kept: object) => {
    const app = topology('shop');
    const table = app.table(prices, { store: 'prices', history: 50 }).filter((price) => price > 0, kept);
    app.stream(orders).joinTable(table, { merge, name: 'wait', grace: 5 });
    return app.build();
  };
  build({});
  assert.throws(() => build({ store: 'dear' }), { message: /needs a table with history, and store dear keeps none/ });
});

test('a history and a grace are whole spans', () => {
  assert.throws(() => joined({ history: -1 }, {}), {
    message: /the history of store prices must be 0 ms or more, not -1/,
  });
  assert.throws(() => joined({ history: 9 }, { name: 'wait', grace: 0.5 }), {
    message: /the grace of joinTable:wait must be a whole number/,
  });
});

test('what waits needs a format', () => {
  const app = topology('shop');
  const table = app.table(prices, { store: 'prices', history: 10 });
  const doubled = app.stream(orders).mapValues((order) => order * 2);
  doubled.joinTable(table, { merge, name: 'wait', grace: 1 });
  assert.throws(() => app.build(), { message: /store wait has no value serde/ });
});

test('a user operator shares the store of a table with history by declaring an equal one', () => {
  const app = topology('shop');
  app.table(prices, { store: 'prices', history: 10 });
  const stores = [versionedStore('prices', { key: string(), value: int64(), history: 10 })];
  app.stream(orders).process({ name: 'look', stores, supplier: () => ({ process: () => undefined }) });
  const { plan } = app.build();
  assert.deepEqual(
    plan.stores.map(({ name, nodes }) => [name, nodes]),
    [
      ['prices', ['table:prices', 'process:look']],
      ['prices.history', ['table:prices', 'process:look']],
    ],
  );
  const other = topology('shop');
  other.table(prices, { store: 'prices', history: 11 });
  other.stream(orders).process({ name: 'look', stores, supplier: () => ({ process: () => undefined }) });
  assert.throws(() => other.build(), { message: /store prices is declared twice and not alike/ });
});

test('a plan of another front end is held to the same', () => {
  const { plan } = joined({ history: 50 }, { name: 'wait', grace: 5 }).build();
  const without: Plan = { ...plan, stores: plan.stores.filter(({ kind }) => kind !== 'history') };
  assert.ok(
    validatePlan(without).some(({ message }) => message.includes('lacks its store prices.history')),
    JSON.stringify(validatePlan(without)),
  );
  const nodes = plan.nodes.map((node) =>
    node.kind === 'joinTable' ? { ...node, grace: { ms: -1, buffer: 'wait' } } : node,
  );
  assert.ok(validatePlan({ ...plan, nodes }).some(({ message }) => message.includes('the grace is -1 ms')));
});

test('stores of user operators say how long they keep', () => {
  const { retentionMs, kind } = sessionStore('s', { key: string(), value: int64(), retention: { seconds: 2 } });
  assert.deepEqual([kind, retentionMs], ['session', 2000]);
  assert.equal(keyValueStore('k', { key: string(), value: int64() }).retentionMs, null);
});

test('updates of a table with history are not held back: that loses which is the newest', () => {
  const build = (kept: object) => {
    const app = topology('shop');
    const table = app.table(prices, { store: 'prices', history: 50 }).filter((price) => price > 0, kept);
    (table as unknown as { suppress(options: object): unknown }).suppress({ untilTimeLimit: 5, store: 'calm' });
    return app.build();
  };
  assert.throws(() => build({}), {
    code: 'plan.invalid',
    message:
      /suppressBuffer:calm holds back updates of prices, which has a history, and would not know the newest from one that comes late; give the table before it no history, or a store/,
  });
  build({ store: 'dear' });
});
