import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, json, string } from '../schemas/schemas.ts';
import type { Plan, PlanNode } from './plan.ts';
import { refused } from './refused.testing.ts';
import {
  describe,
  type GlobalTable,
  keyValueStore,
  type Stream,
  type Topology,
  topic,
  topology,
  validatePlan,
} from './topology.ts';

interface Event {
  readonly country: number | null;
}
const events = topic('events', { key: string(), value: json<Event>(), partitions: 6, partitioner: 'unknown' });
const countries = topic('countries', { key: int64(), value: string(), partitions: 2 });
const out = topic('out', { key: string(), value: string(), partitions: 6 });

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

const key = (event: Event) => event.country;

test('a stream of any key and count is joined', () => {
  const t = topology('types');
  const table = t.globalTable(countries, { store: 'countries' });
  same<typeof table, GlobalTable<number, string>>();
  const inner = t.stream(events).joinGlobal(table, { key, merge: (event, name) => ({ ...event, name }) });
  same<typeof inner, Stream<string, { name: string; country: number | null }, 6>>();
  const stale = t.stream(events).selectKey(() => 1);
  const left = stale.leftJoinGlobal(table, { key, merge: (_event, name, at) => at + (name ?? '').length });
  same<typeof left, Stream<number, number, 'stale'>>();
  // @ts-expect-error a left join has records without a row
  stale.leftJoinGlobal(table, { key, merge: (_event, name) => name.length });
  // @ts-expect-error the keys of the table are numbers
  stale.joinGlobal(table, { key: (event) => String(event.country), merge: () => 1 });
  // @ts-expect-error a table of tasks is no global table
  assert.throws(() => stale.joinGlobal(t.table(countries, { store: 'c' }), { key, merge: () => 1 }).to(out).no);
});

function plan(): Plan {
  const t = topology('app');
  const table = t.globalTable(countries, { store: 'countries' });
  t.stream(events)
    .leftJoinGlobal(table, { key, merge: (_event, name) => name ?? '' })
    .to(out);
  const again = t.stream(topic('more', { key: string(), value: json<Event>(), partitions: 3 }));
  again.joinGlobal(table, { name: 'named', key, merge: (_event, name) => name }).to(out);
  return t.build().plan;
}

test('a global table binds no stages to each other, and is in none', () => {
  const { stages, stores } = plan();
  assert.deepEqual(
    stages.map(({ nodes, partitions, reads, stores: own }) => ({ nodes: nodes.length, partitions, reads, own })),
    [
      { nodes: 3, partitions: 6, reads: ['events'], own: [] },
      { nodes: 3, partitions: 3, reads: ['more'], own: [] },
    ],
  );
  assert.deepEqual(stores, [
    {
      ...{ name: 'countries', kind: 'global', key: 'int64', value: 'string', retentionMs: null },
      nodes: ['globalTable:countries', 'joinGlobal:events:1', 'joinGlobal:named'],
    },
  ]);
});

test('drawings show it beside the stages', () => {
  const text = describe(plan(), 'text');
  assert.match(
    text,
    /global tables \(in each worker\)\n {2}globalTable:countries {2}topic countries, store countries\n/,
  );
  assert.match(text, /joinGlobal:named +inner, store countries +<- source:more \+ globalTable:countries/);
  for (const format of ['mermaid', 'dot'] as const) assert.match(describe(plan(), format), /globalTable:countries/);
});

const CASES: { readonly [name: string]: readonly [(t: Topology) => void, ...RegExp[]] } = {
  'a topic read as a global table and as a stream': [
    (t) => {
      const table = t.globalTable(countries, { store: 'countries' });
      t.stream(countries).joinGlobal(table, { key: () => 1, merge: () => 'x' });
    },
    /topic countries is read as a global table and otherwise; read it in one way, or write it to a second topic/,
  ],
  'a topic read as two global tables': [
    (t) => {
      t.stream(events);
      t.globalTable(countries, { store: 'a' });
      t.globalTable(countries, { store: 'b' });
    },
    /topic countries is read 2 times as global tables/,
  ],
  'a store that a processor has too': [
    (t) => {
      t.globalTable(countries, { store: 'countries' });
      const stores = [keyValueStore('countries', { key: int64(), value: string() })];
      t.stream(events).process({ name: 'p', stores, supplier: () => ({ process() {} }) });
    },
    /store countries is declared twice and not alike/,
  ],
  'nothing but a global table': [
    (t) => t.globalTable(countries, { store: 'countries' }),
    /topology app reads nothing; begin with stream/,
  ],
};

for (const [name, [define, ...expected]] of Object.entries(CASES)) {
  test(`refused: ${name}`, () => refused(define, ...expected));
}

/** Plans that no handle writes. */
const BROKEN: { readonly [name: string]: readonly [(node: PlanNode) => PlanNode, RegExp] } = {
  'a global table as a stream': [
    (node) => (node.kind === 'to' ? { ...node, inputs: ['globalTable:countries'] } : node),
    /takes a stream; a row of globalTable:countries is found by joinGlobal/,
  ],
  'a join with a store that is not the table’s': [
    (node) => (node.kind === 'joinGlobal' ? { ...node, store: 'other' } : node),
    /joins globalTable:countries, which is no global table with the store other/,
  ],
  'a join of a stream alone': [
    (node) => (node.kind === 'joinGlobal' ? { ...node, inputs: node.inputs.slice(0, 1) } : node),
    /joins one stream with one global table/,
  ],
};

for (const [name, [damage, expected]] of Object.entries(BROKEN)) {
  test(`refused in a plan: ${name}`, () => {
    const right = plan();
    const faults = validatePlan({ ...right, nodes: right.nodes.map(damage) });
    assert.ok(
      faults.some(({ message }) => expected.test(message)),
      faults.map(({ message }) => message).join('\n'),
    );
  });
}
