import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, json, string, windowed } from '../schemas/schemas.ts';
import type { Plan, PlanNode } from './plan.ts';
import { refused } from './refused.testing.ts';
import {
  hopping,
  keyValueStore,
  type SourceLike,
  type Stream,
  type Topology,
  topic,
  topology,
  tumbling,
  validatePlan,
} from './topology.ts';

interface Row {
  readonly id: string;
}
const value = json<Row>();
const four = topic('four', { key: string(), value, partitions: 4 });
const alsoFour = topic('also-four', { key: string(), value, partitions: 4 });
const six = topic('six', { key: string(), value, partitions: 6 });
const odd = topic('odd', { key: string(), value, partitions: 4, partitioner: 'unknown' });
const merge = (row: Row) => row;
/** As a program in plain JavaScript would: past the types. */
const untyped = (stream: unknown) => stream as Stream<string, Row, 4>;
const made: SourceLike<Row> = { description: 'made', bounded: true, open: async () => assert.fail() };
const readAs = (name: string) => ({ name, key: (row: Row) => row.id, keySerde: string(), value, time: () => 0 });
const NEAR = { before: 10, after: 10 };
const supplier = () => ({ process() {} });

function accepted(define: (t: Topology) => void): Plan {
  const t = topology('app');
  define(t);
  return t.build().plan;
}

const CASES: { readonly [name: string]: readonly [(t: Topology) => void, ...RegExp[]] } = {
  'an empty topology': [() => {}, /app reads nothing/],
  'a stale key before an aggregate': [
    (t) =>
      untyped(t.stream(four).selectKey((row) => row.id))
        .groupByKey()
        .count({ store: 's' }),
    /aggregate:s: the key changed: call repartition\(\.\.\.\) before groupByKey/,
    /store s has no key serde/,
  ],
  'a stale key before a join': [
    (t) => untyped(t.stream(four).selectKey((row) => row.id)).joinTable(t.table(alsoFour, { store: 's' }), { merge }),
    /the key changed: call repartition\(\.\.\.\) before joinTable/,
  ],
  'a connector without a topic before state': [
    (t) =>
      untyped(t.read(made, readAs('made')))
        .groupByKey()
        .count({ store: 's' }),
    /a connector has partitions of its own: call to\(topic\) or repartition/,
  ],
  'joined counts that differ': [
    (t) => untyped(t.stream(six)).joinTable(t.table(four, { store: 's' }), { merge }),
    /partition counts differ: source:six has 6, table:four has 4/,
  ],
  'hard place 7: a join on an undeclared partitioner': [
    (t) => t.stream(odd).joinTable(t.table(four, { store: 's' }), { merge }),
    /nobody knows by which partitioner source:odd lies/,
  ],
  'hard place 7: a topic inherits an unknown partitioner': [
    (t) => {
      t.stream(odd)
        .filter(() => true)
        .to(alsoFour);
      t.stream(alsoFour).joinTable(t.table(four, { store: 's' }), { merge });
    },
    /nobody knows by which partitioner source:also-four lies/,
  ],
  'a windowed key inside against one outside': [
    (t) => {
      const keys = topic('windowed-rows', { key: windowed(string(), 10), value, partitions: 4 });
      const counts = t.stream(four).groupByKey().window(tumbling(10)).count({ store: 'w' });
      counts.toStream().joinTable(t.table(keys, { store: 's' }), { merge: () => 1 });
    },
    /lies by its windowed key, the other by the key inside/,
  ],
  'a stale key on the right of a join of streams': [
    (t) =>
      t
        .stream(four)
        .joinStream(untyped(t.stream(alsoFour).selectKey((row) => row.id)), { name: 'j', within: NEAR, merge }),
    /joinStreams:j: the key changed: call repartition\(\.\.\.\) on selectKey:also-four:1 before it is joined/,
  ],
  'a stale key on the left of a join of streams': [
    (t) =>
      untyped(t.stream(four).selectKey((row) => row.id)).joinStream(t.stream(alsoFour), {
        name: 'j',
        within: NEAR,
        merge,
      }),
    /call repartition\(\.\.\.\) on selectKey:four:1 before it is joined/,
    /store j-left has no key serde/,
    /store j-right has no key serde/,
  ],
  'joined streams whose counts differ': [
    (t) => untyped(t.stream(six)).outerJoinStream(t.stream(four), { name: 'j', within: NEAR, merge: () => 1 }),
    /partition counts differ: source:six has 6, source:four has 4; call repartition\(\.\.\.\) with the count of the other/,
  ],
  'joined streams whose keys differ': [
    (t) => {
      const numbered = topic('numbered', { key: int64(), value, partitions: 4 });
      untyped(t.stream(numbered)).joinStream(t.stream(four), { name: 'j', within: NEAR, merge });
    },
    /key types differ: source:numbered has int64, source:four has string/,
  ],
  'a join of streams on an undeclared partitioner': [
    (t) => t.stream(four).leftJoinStream(t.stream(odd), { name: 'j', within: NEAR, merge }),
    /nobody knows by which partitioner source:odd lies/,
  ],
  'a join window that ends before it begins': [
    (t) => t.stream(four).joinStream(t.stream(alsoFour), { name: 'j', within: { before: -20, after: 10 }, merge }),
    /joinStreams:j: the window ends before it begins: before -20 ms and after 10 ms together are below 0; raise one/,
  ],
  'a join of made values without a serde': [
    (t) => {
      const ids = t.stream(four).mapValues((row) => row.id);
      ids.joinStream(t.stream(alsoFour), { name: 'j', within: NEAR, merge: (id) => id });
    },
    /store j-left has no value serde/,
  ],
  'two joins of streams of one name': [
    (t) => {
      const other = t.stream(alsoFour);
      for (const after of [10, 20])
        t.stream(four).joinStream(other, { name: 'j', within: { before: 0, after }, merge });
    },
    /2 nodes of kind joinStreams are named j/,
    /store j-left is declared twice and not alike/,
    /store j-right is declared twice and not alike/,
  ],
  'two stores of one name': [
    (t) => {
      t.stream(four).groupByKey().count({ store: 's' });
      t.stream(six).groupByKey().window(tumbling(1)).count({ store: 's' });
    },
    /2 operators write the store s/,
    /aggregate:s needs a key-value store/,
  ],
  'stores declared twice and not alike': [
    (t) => {
      const one = keyValueStore('s', { key: string(), value: int64() });
      const other = keyValueStore('s', { key: string(), value });
      t.stream(four).process({ name: 'one', stores: [one], supplier });
      t.stream(four).process({ name: 'other', stores: [other], supplier });
    },
    /store s is declared twice and not alike/,
  ],
  'a store shared across counts': [
    (t) => {
      const stores = [keyValueStore('s', { key: string(), value: int64() })];
      t.stream(four).processValues({ name: 'one', stores, supplier });
      t.stream(six).processValues({ name: 'other', stores, supplier });
    },
    /store s is shared by process:one on 4 partitions and process:other on 6/,
  ],
  'a topic declared twice': [
    (t) => {
      t.stream(four).to(topic('out', { key: string(), value, partitions: 2 }));
      t.stream(four).to(topic('out', { key: string(), value, partitions: 3 }));
    },
    /topic out is declared twice \(partitions 2 and 3\)/,
  ],
  'a topic read as a stream and as a table': [
    (t) => {
      t.stream(four).to(six);
      t.table(four, { store: 's' });
    },
    /topic four is read as a stream and as a table/,
  ],
  'two repartitions of one name': [
    (t) => {
      const options = { name: 'again', key: string(), partitions: 4 } as const;
      t.stream(four).repartition(options);
      t.stream(six).repartition(options);
    },
    /2 nodes of kind repartition are named again/,
  ],
  'two operators of one name': [
    (t) => t.stream(four).process({ name: 'p', supplier }).process({ name: 'p', supplier }),
    /2 nodes of kind process are named p/,
  ],
  'retention shorter than size plus grace': [
    (t) =>
      t
        .stream(four)
        .groupByKey()
        .window(tumbling(100, { grace: 10 }))
        .count({ store: 's', retention: 109 }),
    /keeps windows for 109 ms, less than size plus grace; set retention to at least 110/,
  ],
  'hops that leave gaps': [
    (t) =>
      t
        .stream(four)
        .groupByKey()
        .window(hopping(10, { advance: 11 }))
        .count({ store: 's' }),
    /leaves gaps between windows of 10 ms/,
  ],
  'records that run in a circle': [
    (t) => {
      t.stream(four).to(alsoFour);
      t.stream(alsoFour)
        .filter(() => true)
        .to(four);
    },
    /records run in a circle through also-four -> four/,
  ],
  'a circle within one stage': [(t) => t.stream(four).to(four), /records run in a circle through four/],
  'a stage that would feed itself in a bounded run, from a processor': [
    (t) => {
      const keyed = t.read(made, readAs('made')).repartition({ name: 'keyed', key: string(), value, partitions: 4 });
      const named = keyed
        .process({ name: 'p', supplier })
        .repartition({ name: 'again', key: string(), value, partitions: 4 });
      keyed.joinTable(named.toTable({ store: 's' }), { merge });
    },
    /stage repartition\.keyed would read what it writes, through nf\.app\.again\.repartition, and a bounded run of it would have no end, since a processor/,
  ],
  'a connector merged with a topic': [
    (t) => t.read(made, readAs('made')).merge(t.stream(four)).to(six),
    /read:made is mixed with four/,
  ],
  'state on the splits of a connector': [
    (t) => {
      const stores = [keyValueStore('s', { key: string(), value: int64() })];
      t.read(made, readAs('made')).process({ name: 'p', stores, supplier });
    },
    /process:p keeps state on the splits of read:made/,
  ],
  'an internal name': [
    (t) => t.stream(four).to(topic('nf.mine', { key: string(), value, partitions: 1 })),
    /topic name "nf.mine" begins with nf\./,
  ],
  'a table of made values without a serde': [
    (t) =>
      t
        .stream(four)
        .mapValues((row) => row.id)
        .toTable({ store: 's' }),
    /store s has no value serde/,
  ],
  'branch names that lose their order': [(t) => t.stream(four).branch({ 1: true }), /branch name 1 is a bare number/],
  'no partitions': [
    (t) => t.stream(topic('none', { key: string(), value, partitions: 0 })),
    /topic none has 0 partitions/,
  ],
};

for (const [name, [define, ...expected]] of Object.entries(CASES)) {
  test(`refuses ${name}`, () => refused(define, ...expected));
}

test('takes what is right though it looks odd', () => {
  // An external writer with an unknown partitioner is repartitioned before the join.
  accepted((t) => {
    const settled = t.stream(odd).repartition({ name: 'settled', key: string(), partitions: 4 });
    settled.joinTable(t.table(four, { store: 's' }), { merge });
  });
  // Two results of one grouping lie alike, by the key inside.
  accepted((t) => {
    const grouped = t.stream(four).groupByKey().window(tumbling(10));
    grouped
      .count({ store: 'a' })
      .toStream()
      .joinTable(grouped.count({ store: 'b' }), { merge: (a, b) => a + b });
  });
  // A stream joined with an aggregate of its own under another key: a stage reads what it writes, and no record turns.
  accepted((t) => {
    const stream = t.stream(four);
    const again = { name: 'again', key: string(), partitions: 4 } as const;
    const counts = stream.groupBy((row) => row.id, again).count({ store: 's' });
    stream.joinTable(counts, { merge });
  });
  // Uneven merges are as many tasks as the larger side has partitions.
  const uneven = accepted((t) => t.stream(four).merge(t.stream(six)).to(alsoFour));
  assert.equal(uneven.stages[0]!.partitions, 6);
});

test('a sink inherits partitions only where key and count are unchanged', () => {
  const plan = accepted((t) => {
    t.stream(four)
      .filter(() => true)
      .to(alsoFour);
    t.stream(four)
      .selectKey((row) => row.id)
      .to(topic('rekeyed', { key: string(), value, partitions: 4 }));
    t.stream(four).to(six);
  });
  const sinks = plan.nodes.filter((node) => node.kind === 'to');
  assert.deepEqual(
    sinks.map((node) => node.partitioner),
    ['inherited', 'key', 'key'],
  );
});

test('a negative grace is refused where it is said', () => {
  const t = topology('app');
  const within = { ...NEAR, grace: -1 };
  assert.throws(
    () => t.stream(four).joinStream(t.stream(alsoFour), { name: 'j', within, merge }),
    /the grace of join j must be 0 ms or more, not -1/,
  );
});

test('judges joins of streams that no handle wrote', () => {
  const good = accepted((t) =>
    t.stream(four).leftJoinStream(t.stream(alsoFour), { name: 'j', within: NEAR, merge }).to(six),
  );
  const change = (fields: object): string => {
    const nodes = good.nodes.map((node) => (node.id === 'joinStreams:j' ? ({ ...node, ...fields } as PlanNode) : node));
    return validatePlan({ ...good, nodes })
      .map((each) => each.message)
      .join('\n');
  };
  assert.equal(change({}), '');
  assert.match(change({ graceMs: -5 }), /the grace is -5 ms; say a whole number of at least 0/);
  assert.match(change({ beforeMs: 0.5 }), /before is 0\.5 ms; say a whole number/);
  assert.match(change({ afterMs: null }), /after is null ms; say a whole number/);
  assert.match(change({ afterMs: 50 }), /store j-left keeps records for 20 ms; before, after and grace make 60 ms/);
  assert.match(change({ inputs: ['source:four'] }), /joins two streams/);
  assert.match(change({ pendingStore: null }), /is a join of kind left, which needs a store for pending records/);
  assert.match(change({ how: 'inner' }), /is a join of kind inner, which has no store for pending records/);
  assert.match(change({ leftStore: 'gone' }), /uses store gone, which the plan does not declare/);
  assert.match(change({ merge: 'other/merge' }), /code of another node/);
  const stores = good.stores.map((store) => ({ ...store, kind: 'window' as const }));
  assert.match(
    validatePlan({ ...good, stores })
      .map((each) => each.message)
      .join('\n'),
    /joinStreams:j needs a join store, and j-left is a window store/,
  );
});

test('judges plans that no handle wrote', () => {
  const good = accepted((t) =>
    t
      .stream(four)
      .filter(() => true)
      .groupByKey()
      .count({ store: 's' })
      .toStream()
      .to(topic('c', { key: string(), value: int64(), partitions: 4 })),
  );
  assert.deepEqual(validatePlan(JSON.parse(JSON.stringify(good))), []);
  const change = (id: string, fields: object): Plan => ({
    ...good,
    nodes: good.nodes.map((node) => (node.id === id ? ({ ...node, ...fields } as PlanNode) : node)),
  });
  const told = (plan: Plan) =>
    validatePlan(plan)
      .map((each) => each.message)
      .join('\n');
  assert.match(told({ ...good, format: 2 as 1 }), /format 2, this engine reads 1/);
  assert.match(told(change('filter:four:1', { id: 'a/b' })), /node id "a\/b" may hold only/);
  assert.match(told({ ...good, stages: [] }), /stages do not follow/);
  assert.match(told({ ...good, topics: [] }), /source:four uses topic four, which the plan does not declare/);
  assert.match(told({ ...good, stores: [] }), /aggregate:s uses store s, which the plan does not declare/);
  assert.match(told({ ...good, nodes: [...good.nodes].reverse() }), /stands behind it/);
  assert.match(
    told(change('filter:four:1', { inputs: ['nobody'] })),
    /takes records of nobody, which is not in the plan/,
  );
  assert.match(told(change('filter:four:1', { inputs: [] })), /filter:four:1 takes one input, not 0/);
  assert.match(told(change('filter:four:1', { fn: 'other/fn' })), /code of another node/);
  assert.match(told(change('toStream:s:1', { kind: 'suppress' })), /call suppress\(\) directly on a windowed count/);
  assert.match(told(change('to:s.c', { partitioner: 'key' })), /partitioner key; its records lie by inherited/);
  assert.match(told(change('to:s.c', { inputs: ['aggregate:s'] })), /call toStream\(\) on aggregate:s/);
  assert.match(told(change('aggregate:s', { how: 'reduce' })), /is a reduce, which needs add/);
});
