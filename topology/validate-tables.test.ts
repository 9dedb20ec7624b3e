import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, json, string, windowed } from '../schemas/schemas.ts';
import type { Plan, PlanNode } from './plan.ts';
import { refused } from './refused.testing.ts';
import { type Table, type Topology, topic, topology, tumbling, validatePlan } from './topology.ts';

interface Row {
  readonly id: string;
}
const value = json<Row>();
const four = topic('four', { key: string(), value, partitions: 4 });
const alsoFour = topic('also-four', { key: string(), value, partitions: 4 });
const six = topic('six', { key: string(), value, partitions: 6 });
const numbered = topic('numbered', { key: int64(), value, partitions: 4 });
const odd = topic('odd', { key: string(), value, partitions: 4, partitioner: 'unknown' });
const merge = (row: Row | null) => row;
/** As a program in plain JavaScript would: past the types. */
const untyped = (table: unknown) => table as Table<string, Row, 4>;
const byId = { name: 'by-id', key: string(), value, partitions: 2 } as const;

const two = (t: Topology) => [t.table(four, { store: 'one' }), t.table(alsoFour, { store: 'other' })] as const;

const CASES: { readonly [name: string]: readonly [(t: Topology) => void, ...RegExp[]] } = {
  'joined tables of counts that differ': [
    (t) => t.table(four, { store: 'a' }).joinTable(untyped(t.table(six, { store: 'b' })), { merge, name: 'both' }),
    /joinTables:both: partition counts differ: table:four has 4, table:six has 6; call toStream\(\), repartition\(\.\.\.\) and toTable\(\.\.\.\) with the count of the other table/,
  ],
  'joined tables of keys that differ': [
    (t) => t.table(four, { store: 'a' }).outerJoinTable(untyped(t.table(numbered, { store: 'b' })), { merge }),
    /key types differ: table:four has string, table:numbered has int64; call toStream/,
  ],
  'a joined table on an undeclared partitioner': [
    (t) => t.table(four, { store: 'a' }).leftJoinTable(t.table(odd, { store: 'b' }), { merge }),
    /nobody knows by which partitioner table:odd lies/,
  ],
  'tables joined by the windowed key and by the key inside': [
    (t) => {
      const keys = topic('windowed-rows', { key: windowed(string(), 10), value, partitions: 4 });
      const counts = t.stream(four).groupByKey().window(tumbling(10)).count({ store: 'w' });
      counts.joinTable(t.table(keys, { store: 's' }), { merge: (n) => n });
    },
    /lies by its windowed key, the other by the key inside; call toStream/,
  ],
  'a store of rows that a lambda made': [
    (t) => {
      const [one, other] = two(t);
      one.mapValues((row) => row.id, { store: 'ids' });
      one.joinTable(other, { merge, store: 'both' });
    },
    /store ids has no value serde, since its values are made by a function/,
    /store both has no value serde/,
  ],
  'two tables with one store': [
    (t) => {
      const [one, other] = two(t);
      one.filter(() => true, { store: 'kept' });
      other.filterNot(() => true, { store: 'kept' });
    },
    /2 operators write the store kept/,
  ],
  'two groupings of one name': [
    (t) => {
      const [one, other] = two(t);
      one.groupBy((row) => [row.id, row], byId).count({ store: 'x' });
      other.groupBy((row) => [row.id, row], byId).count({ store: 'y' });
    },
    /2 nodes of kind repartition are named by-id/,
  ],
  'two joins of one name': [
    (t) => {
      const [one, other] = two(t);
      one.joinTable(other, { merge, name: 'both' });
      one.leftJoinTable(other, { merge, name: 'both' });
    },
    /2 nodes of kind joinTables are named both/,
  ],
  'final results joined with a table': [
    (t) => {
      const finals = t.stream(four).groupByKey().window(tumbling(10)).count({ store: 'w' }).suppress();
      t.table(alsoFour, { store: 'a' }).joinTable(untyped(finals), { merge, name: 'both' });
    },
    /joinTables:both looks rows up in suppress:w:1, and suppress:w:1 keeps none; give it a buffer/,
    /key types differ/,
  ],
};

for (const [name, [define, ...expected]] of Object.entries(CASES)) {
  test(`refused: ${name}`, () => refused(define, ...expected));
}

function tables(): Plan {
  const t = topology('app');
  const [one, other] = two(t);
  const joined = one.filter((row) => row.id !== '').leftJoinTable(other, { name: 'both', merge: (row) => row });
  joined
    .groupBy((row) => [row.id, row], byId)
    .count({ store: 'counts' })
    .toStream()
    .to(topic('out', { key: string(), value: int64(), partitions: 2 }));
  t.stream(six).repartition({ name: 'again', key: string(), partitions: 4 }).leftJoinTable(joined, { merge });
  return t.build().plan;
}

test('a table that keeps no rows lists whoever looks them up in the stores before it', () => {
  const { stores, stages } = tables();
  const users = (name: string) => stores.find((store) => store.name === name)?.nodes;
  assert.deepEqual(users('one'), ['table:four', 'joinTables:both', 'joinTable:again:1']);
  assert.deepEqual(users('other'), ['table:also-four', 'joinTables:both', 'joinTable:again:1']);
  assert.deepEqual(
    stages.map(({ reads }) => reads),
    [['four', 'also-four', 'nf.app.again.repartition'], ['nf.app.by-id.repartition'], ['six']],
  );
});

/** Plans that no handle writes. */
const BROKEN: { readonly [name: string]: readonly [(node: PlanNode) => PlanNode, RegExp] } = {
  'an aggregate of a table over a stream': [
    (node) => (node.kind === 'aggregateTable' ? { ...node, inputs: ['source:six'] } : node),
    /aggregateTable:counts takes the changes of a grouped table behind their repartition, not records of source:six/,
  ],
  'changes without a repartition': [
    (node) => (node.kind === 'toStream' ? { ...node, inputs: ['groupTable:both:1'] } : node),
    /makes a stream of groupTable:both:1, which is one already/,
  ],
  'a filter of a stream as a table': [
    (node) => (node.kind === 'filterTable' ? { ...node, inputs: ['source:six'] } : node),
    /filterTable:four:1 takes a table; source:six is none: call toTable/,
  ],
  'an aggregate without a subtractor': [
    (node) => (node.kind === 'aggregateTable' ? { ...node, how: 'reduce', add: `${node.id}/add` } : node),
    /aggregateTable:counts is a reduce, which needs subtract/,
  ],
  'a join of a table with a store that it does not have': [
    (node) => (node.kind === 'joinTable' ? { ...node, store: 'one' } : node),
    /joins joinTables:both, which is no table with the store one/,
  ],
  'a join of one table': [
    (node) => (node.kind === 'joinTables' ? { ...node, inputs: node.inputs.slice(0, 1) } : node),
    /joinTables:both joins two tables/,
  ],
};

for (const [name, [damage, expected]] of Object.entries(BROKEN)) {
  test(`refused in a plan: ${name}`, () => {
    const plan = tables();
    const nodes = plan.nodes.map(damage).sort((a, b) => Number(b.inputs.length === 0) - Number(a.inputs.length === 0));
    const faults = validatePlan({ ...plan, nodes });
    assert.ok(
      faults.some(({ message }) => expected.test(message)),
      faults.map(({ message }) => message).join('\n'),
    );
  });
}
