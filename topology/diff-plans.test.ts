import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFlowError } from '../core/errors.ts';
import { double, int64, json, type Serde, string } from '../schemas/schemas.ts';
import type { Plan, PlanStore } from './plan.ts';
import { randomTopology } from './random-topology.testing.ts';
import { diffLines, diffPlans, type Renames, readPlan, session, topic, topology, tumbling } from './topology.ts';

const RUNS = { seed: 20260102, numRuns: 200 };
const planOf = (seed: number): Plan => randomTopology(seed, 12).topology.build().plan;
const orders = topic('orders', { key: string(), value: json<{ n: number }>(), partitions: 4 });
const out = topic('out', { key: string(), value: double(), partitions: 4 });
const more = topic('more', { key: string(), value: json<{ n: number }>(), partitions: 4 });

function shop(
  change: { store?: string; window?: number; grace?: number; by?: string; partitions?: number } = {},
): Plan {
  const { store = 'counts', window = 60_000, grace = 0, by = 'by', partitions = 2 } = change;
  const app = topology('shop');
  app
    .stream(orders)
    .groupBy(({ n }) => `${n}`, { name: by, key: string(), partitions })
    .window(tumbling(window, { grace }))
    .count({ store });
  app.stream(orders).groupByKey().count({ store: 'all' });
  return app.build().plan;
}

const hows = (from: Plan, to: Plan, renames?: Renames) =>
  diffPlans(from, to, renames).stores.map(({ store, how }) => `${store} ${how}`);
const refusals = (from: Plan, to: Plan, renames?: Renames) =>
  diffPlans(from, to, renames).faults.map(({ what, why }) => `${what}: ${why}`);

test('equal plans differ in nothing', () => {
  fc.assert(
    fc.property(fc.nat(100_000), (seed) => {
      const diff = diffPlans(planOf(seed), JSON.parse(JSON.stringify(planOf(seed))) as Plan);
      assert.ok(diff.equal);
      assert.deepEqual(diff.faults, []);
      assert.deepEqual(diff.inputs, []);
      assert.ok(diff.stores.every(({ how, notes }) => how === 'kept' && notes.length === 0));
      assert.ok(diff.topics.every(({ how }) => how === 'kept'));
    }),
    RUNS,
  );
});

test('a global table has no state that carries over', () => {
  const plan = (store: string, value: Serde<string | number>, from = 'countries') => {
    const app = topology('shop');
    const table = app.globalTable(topic(from, { key: string(), value, partitions: 1 }), { store });
    const stream = app.stream(orders);
    stream.joinGlobal(table, { key: ({ n }) => `${n}`, merge: ({ n }) => n }).to(out);
    return app.build().plan;
  };
  const without = topology('shop');
  without
    .stream(orders)
    .mapValues(({ n }) => n)
    .to(out);
  const before = plan('names', string() as Serde<string | number>);
  for (const after of [
    plan('names', int64() as Serde<string | number>),
    plan('names', string() as Serde<string | number>, 'more-countries'),
    plan('others', string() as Serde<string | number>),
    without.build().plan,
  ]) {
    const { equal, stores, faults } = diffPlans(before, after);
    assert.deepEqual({ equal, stores, faults }, { equal: false, stores: [], faults: [] });
    assert.deepEqual(diffPlans(after, before).stores, []);
  }
  assert.deepEqual(refusals(before, plan('others', string() as Serde<string | number>), { names: 'others' }), [
    'rename of names to others: the former plan has no store names',
  ]);
});

test('every store and internal topic of two plans is told exactly once', () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.nat(100_000),
      fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 4 }),
      (a, b, picks) => {
        const [from, to] = [planOf(a), planOf(b)];
        const pick = (stores: readonly PlanStore[], at: number) => stores[at % Math.max(1, stores.length)]?.name ?? 'x';
        const renames = Object.fromEntries(picks.map(([i, j]) => [pick(from.stores, i), pick(to.stores, j)]));
        const diff = diffPlans(from, to, renames);
        const olds = diff.stores.flatMap(({ was }) => was ?? []);
        const news = diff.stores.filter(({ how }) => how !== 'removed').map(({ store }) => store);
        assert.deepEqual([...olds].sort(), from.stores.map(({ name }) => name).sort());
        assert.deepEqual([...news].sort(), to.stores.map(({ name }) => name).sort());
        const told = diff.topics.map(({ topic: name }) => name);
        assert.equal(new Set(told).size, told.length);
        assert.ok(diffLines(diff).length > 0);
      },
    ),
    RUNS,
  );
});

test('a store of another name is new, and the old one is left; a rename carries it over', () => {
  const [from, to] = [shop(), shop({ store: 'totals' })];
  assert.deepEqual(hows(from, to), ['all kept', 'totals added', 'counts removed']);
  assert.deepEqual(hows(from, to, { counts: 'totals' }), ['all kept', 'totals renamed']);
  assert.deepEqual(refusals(from, to, { counts: 'totals' }), []);
  assert.deepEqual(hows(to, to, { counts: 'totals' }), ['all kept', 'totals kept'], 'it is done already');
  assert.match(refusals(from, to, { none: 'totals' }).join(), /the former plan has no store none/);
  assert.match(refusals(from, to, { counts: 'none' }).join(), /the new plan has no store none/);
  assert.match(refusals(from, to, { counts: 'all' }).join(), /has a store all too/);
});

test('a rename carries over what belongs to a name, and a change of windows or joins is seen through it', () => {
  const plan = (name: string, before = 5, gap = 1000) => {
    const app = topology('shop');
    const stream = app.stream(orders);
    stream
      .leftJoinStream(app.stream(more), { name, within: { before, after: 5 }, merge: ({ n }) => ({ n }) })
      .to(topic('out', { key: string(), value: json<{ n: number }>(), partitions: 4 }));
    stream
      .groupByKey()
      .window(session({ gap: () => gap, grace: 0 }))
      .count({ store: `${name}-spans` });
    if (gap !== 1000)
      stream
        .groupByKey()
        .window(session({ gap }))
        .count({ store: `${name}-more` });
    return app.build().plan;
  };
  const renames = { pairs: 'couples', 'pairs-spans': 'couples-spans' };
  const { stores, faults } = diffPlans(plan('pairs'), plan('couples'), renames);
  assert.deepEqual(faults, []);
  assert.ok(stores.length >= 5);
  for (const { store, was, how } of stores) {
    assert.equal(how, 'renamed');
    assert.equal(store.replace('couples', 'pairs'), was);
  }
  assert.match(refusals(plan('pairs'), plan('couples', 6), renames).join(), /from 5 ms before to 5 ms after/);
  assert.match(refusals(plan('pairs', 5, 10), plan('pairs', 5, 20)).join(), /store pairs-more: .*"gapMs":10/);
});

test('a store whose stage has another name moves, with what it costs', () => {
  const [from, to] = [shop(), shop({ by: 'anew' })];
  const diff = diffPlans(from, to);
  assert.deepEqual(hows(from, to), ['all kept', 'counts moved']);
  const costs = { changelogs: new Map([['counts', 1204]]), waiting: new Map([['nf.shop.by.repartition', 3]]) };
  assert.deepEqual(diffLines(diff, costs), [
    'store all: carries over',
    'store counts: carries over to another stage, rebuilt from its changelog (1,204 records)',
    'topic nf.shop.anew.repartition: new',
    'topic nf.shop.by.repartition: no longer used, and 3 records that were on their way are lost to the application; ' +
      'it stays until: nodeflow plan orphans <file> --yes',
  ]);
});

test('windows, kinds, formats and partition counts do not change under the rows; grace does', () => {
  const from = shop();
  assert.match(
    refusals(from, shop({ window: 30_000 })).join(),
    /^store counts: its windows were .*60000.* to be .*30000/,
  );
  assert.deepEqual(refusals(from, shop({ grace: 5000 })), []);
  assert.match(diffLines(diffPlans(from, shop({ grace: 5000 }))).join(), /kept for 65000 ms, and were for 60000 ms/);
  assert.match(refusals(from, shop({ partitions: 3 })).join(), /store counts: its rows lie in 2 partitions.* in 3/);
  assert.match(refusals(from, shop({ partitions: 3 })).join(), /topic nf\.shop\.by\.repartition: it has 2 partitions/);

  const table = (value: 'int64' | 'double', history?: number) => {
    const app = topology('shop');
    if (value === 'int64') app.table(topic('t', { key: string(), value: int64(), partitions: 1 }), { store: 'rows' });
    else if (history === undefined)
      app.table(topic('t', { key: string(), value: double(), partitions: 1 }), { store: 'rows' });
    else app.table(topic('t', { key: string(), value: double(), partitions: 1 }), { store: 'rows', history });
    return app.build().plan;
  };
  assert.match(refusals(table('int64'), table('double')).join(), /its values were int64 and are to be double/);
  assert.match(refusals(table('double'), table('double', 1000)).join(), /was a key-value store .* a versioned one/);
  assert.match(refusals(table('double', 1000), table('double', 9000)).join(), /kept for 1000 ms/);
});

test('inputs that come and go are told, and another name of the application is refused', () => {
  const app = topology('shop');
  app.stream(more).groupByKey().count({ store: 'all' });
  const to = app.build().plan;
  assert.deepEqual(diffPlans(shop(), to).inputs, [
    { topic: 'more', how: 'added' },
    { topic: 'orders', how: 'removed' },
  ]);
  assert.match(refusals({ ...to, name: 'kiosk' }, to).join(), /application shop: it was called kiosk/);
});

test('every fault has a cure', () => {
  const { faults } = diffPlans(shop(), shop({ window: 1000, partitions: 9 }));
  assert.equal(faults.length, 3);
  for (const { cure } of faults) assert.match(cure, /change the .* back/);
});

test('a stored plan is read again, and what is none is refused', () => {
  const plan = shop();
  assert.deepEqual(readPlan(JSON.stringify(plan), 'old.json'), plan);
  const refuse = (text: string, words: RegExp) =>
    assert.throws(
      () => readPlan(text, 'old.json'),
      (thrown) => isFlowError(thrown) && words.test(thrown.message),
    );
  refuse('{', /old\.json is no JSON/);
  refuse('{"format":9}', /format 9, this version reads 1/);
  refuse('[]', /old\.json is no plan/);
  refuse(JSON.stringify({ ...plan, nodes: [] }), /^old\.json: /);
});
