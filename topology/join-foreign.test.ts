import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, json, string } from '../schemas/schemas.ts';
import type { Plan, PlanNode } from './plan.ts';
import { refused } from './refused.testing.ts';
import { type Table, type Topology, topic, topology, tumbling, validatePlan } from './topology.ts';

interface Order {
  readonly customer: string | null;
  readonly amount: number;
}
interface Customer {
  readonly tier: string;
}

const orders = topic('orders', { key: int64(), value: json<Order>(), partitions: 6, partitioner: 'unknown' });
const customers = topic('customers', { key: string(), value: json<Customer>(), partitions: 4 });
const odd = topic('odd', { key: string(), value: json<Customer>(), partitions: 4, partitioner: 'unknown' });
const tiers = topic('tiers', { key: int64(), value: string(), partitions: 6 });

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

function tables(t: Topology) {
  return { left: t.table(orders, { store: 'orders' }), right: t.table(customers, { store: 'customers' }) };
}

const foreignKey = (order: Order) => order.customer;
const merge = (_order: Order, customer: Customer | null) => customer?.tier ?? 'none';
const byTier = { name: 'by-tier', key: string(), value: string(), partitions: 2 } as const;

function shop(): Plan {
  const t = topology('shop');
  const { left, right } = tables(t);
  const joined = left.leftJoinForeign(right, { name: 'fk', foreignKey, merge, store: 'joined', value: string() });
  joined.groupBy((tier) => [tier, tier], byTier).count({ store: 'counts' });
  joined.toStream().to(tiers);
  return t.build().plan;
}

test('the join has the keys and the count of the left table', () => {
  const { left, right } = tables(topology('types'));
  const inner = left.joinForeign(right, { name: 'a', foreignKey, merge: (order, { tier }) => ({ ...order, tier }) });
  same<typeof inner, Table<number, { tier: string; customer: string | null; amount: number }, 6>>();
  const outer = left.leftJoinForeign(right, {
    name: 'b',
    foreignKey,
    merge: (_order, row, key) => key + (row ? 1 : 0),
  });
  same<typeof outer, Table<number, number, 6>>();
  // @ts-expect-error a left join has rows without a partner
  left.leftJoinForeign(right, { name: 'c', foreignKey, merge: (_order, row) => row.tier });
  // @ts-expect-error the keys of the other table are texts
  left.joinForeign(right, { name: 'd', foreignKey: (order) => order.amount, merge });
  // @ts-expect-error the join has topics and a store, which are named after it
  left.joinForeign(right, { foreignKey, merge });
  // @ts-expect-error texts are no numbers
  left.joinForeign(right, { name: 'e', foreignKey, merge, store: 'numbers', value: int64() });
});

test('two stages, two topics between them, and a store of subscriptions', () => {
  const { stages, topics, stores, nodes } = shop();
  assert.deepEqual(
    stages.map(({ id, partitions, reads, writes }) => ({ id, partitions, reads, writes })),
    [
      {
        id: 'table.orders',
        partitions: 6,
        reads: ['orders', 'nf.shop.fk.answers.repartition'],
        writes: ['nf.shop.fk.subscriptions.repartition', 'nf.shop.by-tier.repartition', 'tiers'],
      },
      {
        id: 'table.customers',
        partitions: 4,
        reads: ['customers', 'nf.shop.fk.subscriptions.repartition'],
        writes: ['nf.shop.fk.answers.repartition'],
      },
      { id: 'repartition.by-tier', partitions: 2, reads: ['nf.shop.by-tier.repartition'], writes: [] },
    ],
  );
  const internal = topics.filter((each) => each.internal).map(({ name, partitions, key }) => [name, partitions, key]);
  assert.deepEqual(internal, [
    ['nf.shop.by-tier.repartition', 2, 'string'],
    ['nf.shop.fk.answers.repartition', 6, 'int64'],
    ['nf.shop.fk.subscriptions.repartition', 4, 'string'],
  ]);
  assert.deepEqual(
    stores.map(({ name, kind, nodes: users }) => [name, kind, ...users]),
    [
      ['counts', 'key-value', 'aggregateTable:counts'],
      ['customers', 'key-value', 'table:customers', 'answerForeign:fk'],
      ['fk.subscriptions', 'subscription', 'answerForeign:fk'],
      ['joined', 'key-value', 'joinForeign:fk'],
      ['orders', 'key-value', 'table:orders', 'joinForeign:fk'],
    ],
  );
  // subscriptions may be without a key in a left join; what goes on from it never is
  const nullKeys = nodes.flatMap((node) => (node.kind === 'repartition' ? [node.nullKeys] : []));
  assert.deepEqual(nullKeys, ['keep', 'drop', 'drop']);
});

/** Both tables of connectors that end; with a processor before the one or the other, or none. */
function bounded(t: Topology, processed: 'left' | 'right' | 'none'): void {
  const table = (side: 'left' | 'right') => {
    const text = { key: string(), value: string(), partitions: 2 } as const;
    const source = { description: side, bounded: true, open: async () => assert.fail() };
    const read = { name: side, key: (row: string) => row, keySerde: string(), value: string(), time: () => 0 };
    const rows = t.read<string, string>(source, read).repartition({ ...text, name: side });
    if (processed !== side) return rows.toTable({ store: side });
    const made = rows.processValues<string>({ name: 'p', supplier: () => ({ process() {} }), value: string() });
    return made.toTable({ store: side });
  };
  table('left').joinForeign(table('right'), { name: 'fk', foreignKey: (row) => row, merge: (row) => row });
}

test('a bounded run ends topic by topic, if no timer can add to what the right side is sent', () => {
  for (const processed of ['none', 'right'] as const) {
    const t = topology('bounded');
    bounded(t, processed);
    assert.deepEqual(validatePlan(t.build().plan), []);
  }
});

test('behind a join that keeps no rows, tables with a store of their own know what they replace', () => {
  for (const kept of ['filter', 'map'] as const) {
    const t = topology('kept');
    const { left, right } = tables(t);
    const joined = left.joinForeign(right, { name: 'fk', foreignKey, merge });
    const own = { store: 'own', value: string() };
    const table = kept === 'filter' ? joined.filter((text) => text === '', own) : joined.mapValues((text) => text, own);
    table.groupBy((text) => [text, text], byTier).count({ store: 'counts' });
    table
      .filter((text) => text === '')
      .toStream()
      .to(tiers);
    assert.deepEqual(validatePlan(t.build().plan), [], kept);
  }
});

const CASES: { readonly [name: string]: readonly [(t: Topology) => void, ...RegExp[]] } = {
  'a right table on an undeclared partitioner': [
    (t) => tables(t).left.joinForeign(t.table(odd, { store: 'odd' }), { name: 'fk', foreignKey, merge }),
    /answerForeign:fk: nobody knows by which partitioner table:odd lies on its partitions; call toStream\(\), repartition/,
  ],
  'a right table of windows': [
    (t) => {
      const counts = t.stream(odd).repartition({ name: 'again', key: string(), partitions: 4 }).groupByKey();
      const windows = counts.window(tumbling(10)).count({ store: 'w' });
      tables(t).left.joinForeign(windows, { name: 'fk', foreignKey: () => null, merge: () => 1 });
    },
    /aggregate:w lies by the key inside its windowed key, and a foreign key finds rows by the whole/,
  ],
  'tables of values whose format nobody said': [
    (t) => {
      const { left, right } = tables(t);
      const one = left.mapValues((order) => order.customer);
      const other = right.mapValues(({ tier }) => tier);
      one.joinForeign(other, { name: 'fk', foreignKey: (text) => text, merge: (a, b) => a + b });
    },
    /joinForeign:fk sends values of mapTable:orders:1, its left table, and nobody said their format; give the call that makes that table `value`/,
    /joinForeign:fk sends values of mapTable:customers:1, its right table/,
  ],
  'rows asked of a join that keeps none, by a grouping': [
    (t) => {
      const { left, right } = tables(t);
      const joined = left.joinForeign(right, { name: 'fk', foreignKey, merge }).mapValues((text) => text);
      joined.groupBy((text) => [text, text], byTier).count({ store: 'counts' });
    },
    /joinForeign:fk keeps no rows, and groupTable:fk:1 needs them; give joinForeign\(\.\.\.\) a store/,
  ],
  'rows asked of a join that keeps none, by a filter that knows what it took': [
    (t) => {
      const { left, right } = tables(t);
      const joined = left.joinForeign(right, { name: 'fk', foreignKey, merge });
      joined.filter((text) => text === '', { deletions: 'all' }).filter((text) => text === '');
    },
    /joinForeign:fk keeps no rows, and filterTable:fk:2 needs them/,
  ],
  'a store of rows that a lambda made': [
    (t) => {
      const { left, right } = tables(t);
      left.joinForeign(right, { name: 'fk', foreignKey, merge, store: 'kept' });
    },
    /store kept has no value serde/,
  ],
  'a bounded run in which a timer may add to what the right side is sent': [
    (t) => bounded(t, 'left'),
    /through nf\.app\.fk\.subscriptions\.repartition -> nf\.app\.fk\.answers\.repartition, and a bounded run of it would have no end, since a processor/,
  ],
  'two joins of one name': [
    (t) => {
      const { left, right } = tables(t);
      left.joinForeign(right, { name: 'fk', foreignKey, merge });
      left.leftJoinForeign(right, { name: 'fk', foreignKey, merge });
    },
    /2 nodes of kind repartition are named fk.subscriptions/,
    /2 nodes of kind repartition are named fk.answers/,
    /2 nodes of kind joinForeign are named fk/,
  ],
  'a name that no topic can have': [
    (t) => {
      const { left, right } = tables(t);
      left.joinForeign(right, { name: 'f/k', foreignKey, merge });
    },
    /the repartition name "f\/k.answers" may hold only letters/,
    /the repartition name "f\/k.subscriptions" may hold only letters/,
    /the store name "f\/k.leavings" may hold only letters/,
    /the store name "f\/k.subscriptions" may hold only letters/,
    /the name of a joinForeign "f\/k" may hold only letters/,
  ],
};

for (const [name, [define, ...expected]] of Object.entries(CASES)) {
  test(`refused: ${name}`, () => refused(define, ...expected));
}

/** Plans that no handle writes. */
const BROKEN: { readonly [name: string]: readonly [(node: PlanNode) => PlanNode, RegExp] } = {
  'subscriptions that are no changes of a table': [
    (node) => (node.kind === 'subscribeForeign' ? { ...node, inputs: ['toStream:fk:1'] } : node),
    /subscribeForeign:fk takes a table; toStream/,
  ],
  'answers to something else': [
    (node) => (node.kind === 'answerForeign' ? { ...node, inputs: ['table:orders', 'table:customers'] } : node),
    /answerForeign:fk takes subscriptions behind their repartition, then a table/,
  ],
  'answers of an inner join to a left one': [
    (node) => (node.kind === 'answerForeign' ? { ...node, how: 'inner' } : node),
    /joinForeign:fk does not stand behind its subscriptions and answers; build the plan anew/,
  ],
  'a join without its answers': [
    (node) => (node.kind === 'joinForeign' ? { ...node, inputs: node.inputs.slice(0, 1) } : node),
    /joinForeign:fk joins a table with its answers/,
  ],
  'answers that are taken for a stream': [
    (node) => (node.id === 'to:fk.tiers' ? { ...node, inputs: ['answerForeign:fk'] } : node),
    /takes changes of answerForeign:fk, which need a repartition/,
  ],
};

for (const [name, [damage, expected]] of Object.entries(BROKEN)) {
  test(`refused in a plan: ${name}`, () => {
    const plan = shop();
    const faults = validatePlan({ ...plan, nodes: plan.nodes.map(damage) });
    assert.ok(
      faults.some(({ message }) => expected.test(message)),
      faults.map(({ message }) => message).join('\n'),
    );
  });
}
