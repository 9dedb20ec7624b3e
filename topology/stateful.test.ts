import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, json, string, windowed } from '../schemas/schemas.ts';
import type { NodeOf, Plan, PlanNode } from './plan.ts';
import { refused } from './refused.testing.ts';
import {
  describe,
  type Grouped,
  hopping,
  type Stream,
  type Table,
  type Topology,
  topic,
  topology,
  tumbling,
  validatePlan,
} from './topology.ts';

/** Plans of suppression, cogroups, deduplication and differences: what is refused, and what is made. */
interface Row {
  readonly id: string;
}
const value = json<Row>();
const four = topic('four', { key: string(), value, partitions: 4 });
const other = topic('other', { key: string(), value, partitions: 4 });
const six = topic('six', { key: string(), value, partitions: 6 });
const numbered = topic('numbered', { key: int64(), value, partitions: 4 });
const odd = topic('odd', { key: string(), value, partitions: 4, partitioner: 'unknown' });
const windows = topic('windows', { key: windowed(string(), 10), value, partitions: 4 });
/** As a program in plain JavaScript would: past the types. */
const stream = (from: unknown) => from as Stream<string, Row, 4>;
const table = (from: unknown) => from as Table<string, Row, 4>;
const grouped = (from: { groupByKey(): unknown }) => from.groupByKey() as Grouped<string, Row, 4>;
const add = (count: number) => count + 1;
const options = { store: 's', value: int64(), initial: () => 0 };

function built(define: (t: Topology) => void): Plan {
  const t = topology('app');
  define(t);
  return t.build().plan;
}

const CASES: { readonly [name: string]: readonly [(t: Topology) => void, ...RegExp[]] } = {
  'finals of what has no windows': [
    (t) => table(t.table(four, { store: 'rows' })).suppress({ untilWindowCloses: true, store: 's' } as never),
    /suppressBuffer:s has no windows to wait for/,
  ],
  'a buffer without a store': [
    (t) => {
      const counts = stream(t.stream(four)).groupByKey().window(tumbling(10)).count({ store: 'w' });
      counts.suppress({ untilWindowCloses: true, maxRecords: 9 });
    },
    /suppressBuffer:w:1 holds updates back, and needs a store/,
  ],
  'a bound of nothing': [
    (t) => t.table(four, { store: 'rows' }).suppress({ untilTimeLimit: 5, store: 's', maxRecords: 0 }),
    /suppressBuffer:s has maxRecords 0; say a whole number above 0/,
  ],
  'one buffer for two': [
    (t) => {
      t.table(four, { store: 'rows' }).suppress({ untilTimeLimit: 5, store: 's' });
      t.table(other, { store: 'others' }).suppress({ untilTimeLimit: 6, store: 's' });
    },
    /2 operators write the store s/,
  ],
  'cogrouped counts that differ': [
    (t) =>
      grouped(t.stream(four))
        .cogroup(add)
        .cogroup(grouped(t.stream(six)), add)
        .aggregate(options),
    /aggregate:s: partition counts differ: source:four has 4, source:six has 6; call repartition/,
  ],
  'cogrouped keys that differ': [
    (t) =>
      grouped(t.stream(four))
        .cogroup(add)
        .cogroup(grouped(t.stream(numbered)), add)
        .aggregate(options),
    /key types differ: source:four has string, source:numbered has int64/,
  ],
  'a cogroup on an undeclared partitioner': [
    (t) =>
      grouped(t.stream(four))
        .cogroup(add)
        .cogroup(grouped(t.stream(odd)), add)
        .aggregate(options),
    /nobody knows by which partitioner source:odd lies/,
  ],
  'a cogroup of stale keys': [
    (t) => {
      const stale = stream(t.stream(other).selectKey((row) => row.id));
      grouped(t.stream(four)).cogroup(add).cogroup(grouped(stale), add).aggregate(options);
    },
    /the key of selectKey:other:1 changed: call repartition\(...\) before groupByKey/,
  ],
  'a cogroup with a table': [
    (t) => {
      const rows = t.table(other, { store: 'rows' });
      grouped(t.stream(four))
        .cogroup(add)
        .cogroup(rows as never, add)
        .aggregate(options);
    },
    /aggregate:s takes a stream; call toStream\(\) on table:other/,
  ],
  'deduplication of stale keys': [
    (t) => stream(t.stream(four).map((row) => [row.id, row])).deduplicate({ within: 10, store: 's' }),
    /deduplicate:s: the key changed: call repartition\(...\) before deduplicate/,
    /store s has no key serde/,
  ],
  'deduplication within no time': [
    (t) => t.stream(four).deduplicate({ within: 0, store: 's' }),
    /deduplicate:s looks back within 0 ms/,
    /store s has a retention of 0 ms/,
  ],
  'differences of values that a function made': [
    (t) =>
      t
        .stream(four)
        .mapValues((row) => row.id)
        .difference({ store: 's', fn: (a, b) => a + b }),
    /store s has no value serde/,
  ],
};

for (const [name, [define, ...expected]] of Object.entries(CASES)) {
  test(`refuses ${name}`, () => refused(define, ...expected));
}

test('a buffer waits for the grace of the windows that a table comes from', () => {
  const plan = built((t) => {
    const counts = t
      .stream(four)
      .groupByKey()
      .window(hopping(20, { advance: 10, grace: 7 }))
      .count({ store: 'w' });
    counts.suppress({ untilWindowCloses: true, store: 's', maxBytes: 100 });
  });
  const node = plan.nodes.find((each): each is NodeOf<'suppressBuffer'> => each.kind === 'suppressBuffer');
  assert.equal(node?.waitMs, 7);
  assert.match(describe(plan), /final results, at most 100 bytes, or fails, store s/);
});

test('directly on a windowed aggregate no buffer is made without need', () => {
  const plan = built((t) => {
    const counts = t.stream(four).groupByKey().window(tumbling(10)).count({ store: 'w' });
    counts.suppress({ untilWindowCloses: true }).toStream();
  });
  assert.deepEqual(
    plan.stores.map(({ name }) => name),
    ['w'],
  );
});

test('a named store makes one, and the final rows in it can be joined', () => {
  const plan = built((t) => {
    const counts = t.stream(four).groupByKey().window(tumbling(10)).count({ store: 'w' });
    const finals = counts.suppress({ untilWindowCloses: true, store: 'finals' });
    finals.joinTable(counts, { merge: (final, now) => final - now, name: 'gone' });
  });
  assert.deepEqual(
    plan.stores.map(({ name }) => name),
    ['finals', 'finals-order', 'w'],
  );
});

test('rows that were held back may be held back again', () => {
  const plan = built((t) => {
    const rows = t.table(windows, { store: 'rows' });
    rows.suppress({ untilTimeLimit: 5, store: 's', maxRecords: 3, whenFull: 'fail' }).toStream();
  });
  assert.match(describe(plan), /held for 5 ms, at most 3 records, or fails, store s/);
});

test('judges plans that no handle wrote', () => {
  const good = built((t) => {
    const counts = t.stream(four).groupByKey().window(tumbling(10)).count({ store: 'w' });
    counts.suppress({ untilWindowCloses: true, store: 's', maxRecords: 5 });
    t.table(other, { store: 'rows' }).suppress({ untilTimeLimit: 5, store: 'limited' });
    grouped(t.stream(four))
      .cogroup(add)
      .aggregate({ ...options, store: 'co' });
  });
  assert.deepEqual(validatePlan(JSON.parse(JSON.stringify(good))), []);
  const told = (id: string, fields: object) =>
    validatePlan({
      ...good,
      nodes: good.nodes.map((node) => (node.id === id ? ({ ...node, ...fields } as PlanNode) : node)),
    })
      .map((each) => each.message)
      .join('\n');
  assert.match(told('suppressBuffer:s', { waitMs: 3 }), /waits 3 ms behind the end .* close after 0 ms; build/);
  assert.match(told('suppressBuffer:s', { whenFull: 'emit-early' }), /cannot let windows out before they close/);
  assert.match(told('suppressBuffer:limited', { waitMs: -1 }), /waits for -1 ms; say a whole number/);
  assert.match(told('suppressBuffer:limited', { inputs: ['source:four'] }), /and source:four is a stream/);
  assert.match(told('aggregate:co', { adds: [] }), /takes 1 inputs, and has 0 functions to add by/);
  assert.match(told('aggregate:co', { initial: null }), /is a cogroup, which needs initial/);
});
