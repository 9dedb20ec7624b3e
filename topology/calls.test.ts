import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, json, string } from '../schemas/schemas.ts';
import {
  describe,
  keyValueStore,
  type Program,
  type Stream,
  type Topology,
  topic,
  topology,
  validatePlan,
} from './topology.ts';

interface Row {
  readonly id: string;
}

const rows = topic('rows', { key: string(), value: json<Row>(), partitions: 4 });
const ask = { name: 'ask', concurrency: 3, fn: async ({ id }: Row) => id.length };
const look = {
  name: 'look',
  concurrency: 3,
  cache: { maxEntries: 10, ttl: { minutes: 1 } },
  fn: async (key: string) => (key === 'x' ? null : { n: key.length }),
  merge: ({ id }: Row, row: { readonly n: number } | null) => `${id}${row?.n}`,
};

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

function program(define: (t: Topology) => void): Program {
  const t = topology('app');
  define(t);
  return t.build();
}

test('a call is a node with its settings and a store for the records in flight', () => {
  const { plan } = program((t) => {
    const stream = t.stream(rows);
    stream.mapAsync({ ...ask, order: 'none', timeout: { seconds: 2 }, retry: { attempts: 4, backoff: 50 } });
    stream.leftLookup({ ...look, order: 'partition' });
  });
  const [, asked, looked] = plan.nodes;
  assert.deepEqual(asked, {
    ...{ kind: 'mapAsync', id: 'mapAsync:ask', inputs: ['source:rows'], key: 'string', value: null },
    ...{ fn: 'mapAsync:ask/fn', store: 'ask' },
    calls: {
      ...{ concurrency: 3, order: 'none', timeoutMs: 2000 },
      ...{ attempts: 4, backoffMs: 50, maxBackoffMs: 30_000 },
    },
  });
  assert.ok(looked?.kind === 'lookup');
  assert.deepEqual(looked.cache, { maxEntries: 10, ttlMs: 60_000, negativeTtlMs: 0 });
  assert.deepEqual(looked.calls, {
    ...{ concurrency: 3, order: 'partition', timeoutMs: 30_000 },
    ...{ attempts: 1, backoffMs: 100, maxBackoffMs: 30_000 },
  });
  assert.deepEqual(
    plan.stores.map(({ name, kind, key, value, nodes }) => [name, kind, key, value, ...nodes]),
    [
      ['ask', 'calls', 'string', 'json', 'mapAsync:ask'],
      ['look', 'calls', 'string', 'json', 'lookup:look'],
    ],
  );
  const text = describe(plan, 'text');
  assert.match(text, /mapAsync:ask .*3 at a time, order none, store ask/);
  assert.match(text, /lookup:look .*left, 3 at a time, order partition, store look/);
});

const FAULTS: { readonly [name: string]: readonly [(stream: Stream<string, Row, 4>) => void, RegExp] } = {
  'no concurrency': [
    (stream) => stream.mapAsync({ ...ask, concurrency: 0 }),
    /mapAsync:ask has a concurrency of 0; say a whole number of at least 1/,
  ],
  'half a call': [(stream) => stream.lookup({ ...look, concurrency: 1.5 }), /lookup:look has a concurrency of 1.5/],
  'no name': [(stream) => stream.mapAsync({ ...ask, name: '' }), /the name of a mapAsync "" is empty; give it a name/],
  'no attempt': [(stream) => stream.mapAsync({ ...ask, retry: { attempts: 0 } }), /makes 0 attempts/],
  'no time': [(stream) => stream.mapAsync({ ...ask, timeout: 0 }), /gives its calls 0 ms; say a timeout/],
  'another order': [
    (stream) => stream.mapAsync({ ...ask, order: 'any' as 'none' }),
    /has the order any; say one of key, partition, none/,
  ],
  'no cache': [
    (stream) => stream.lookup({ ...look, cache: { maxEntries: 0, ttl: 1 } }),
    /has a cache of 0 entries; say a whole number/,
  ],
  'a value made by a function': [
    (stream) => stream.mapValues(({ id }) => ({ id })).mapAsync(ask),
    /store ask has no value serde, .* give the call that makes it `input`/,
  ],
  'a key made by a function': [
    (stream) => stream.selectKey(({ id }) => id).mapAsync(ask),
    /store ask has no key serde, .* give the call that makes it `key`/,
  ],
  'two of one name': [
    (stream) => {
      stream.mapAsync(ask);
      stream.lookup({ ...look, name: 'ask' });
    },
    /mapAsync:ask shares the store ask with 1 more; name each by itself/,
  ],
  'a store of another': [
    (stream) => {
      stream.mapAsync(ask);
      const stores = [keyValueStore('ask', { key: string(), value: json<Row>() })];
      stream.processValues({ name: 'p', stores, supplier: () => ({ process() {} }) });
    },
    /ask/,
  ],
};

for (const [name, [define, expected]] of Object.entries(FAULTS)) {
  test(`refused with node and cure: ${name}`, () => {
    assert.throws(() => program((t) => define(t.stream(rows))), expected);
  });
}

test('a plan that no handle wrote is held to the same', () => {
  const { plan } = program((t) => t.stream(rows).mapAsync(ask));
  const nodes = plan.nodes.map((node) =>
    node.kind === 'mapAsync' ? { ...node, calls: { ...node.calls, backoffMs: -1 } } : node,
  );
  assert.match(
    validatePlan({ ...plan, nodes })
      .map(({ message }) => message)
      .join(),
    /say a backoff of at least 0/,
  );
  const stores = plan.stores.map((store) => ({ ...store, kind: 'buffer' as const }));
  assert.match(
    validatePlan({ ...plan, stores })
      .map(({ message }) => message)
      .join(),
    /needs a calls store/,
  );
});

test('calls type what they get and give', () => {
  const t = topology('types');
  const stream = t.stream(rows);
  const lengths = stream.mapAsync(ask);
  same<typeof lengths, Stream<string, number, 4>>();
  const sync = stream.mapAsync({
    name: 'sync',
    concurrency: 1,
    fn: (_row, key, { attempt, signal }) => [key, attempt, signal.aborted] as const,
  });
  same<typeof sync, Stream<string, readonly [string, number, boolean], 4>>();
  const looked = stream.lookup({ ...look, name: 'typed', merge: (row, { n }, key) => ({ ...row, n, key }) });
  same<typeof looked, Stream<string, { id: string; n: number; key: string }, 4>>();
  const left = stream.leftLookup({ ...look, name: 'typed-left', merge: (_row, found) => found?.n });
  same<typeof left, Stream<string, number | undefined, 4>>();
  const stale = stream.selectKey(({ id }) => id.length).mapAsync({ ...ask, name: 'stale', key: int64() });
  same<typeof stale, Stream<number, number, 'stale'>>();
  // @ts-expect-error it needs a name for its store
  stream.mapAsync({ concurrency: 1, fn: ask.fn });
  // @ts-expect-error it needs a bound
  stream.mapAsync({ name: 'a', fn: ask.fn });
  // @ts-expect-error no such order
  stream.mapAsync({ ...ask, name: 'b', order: 'any' });
  // @ts-expect-error its results are no text
  stream.mapAsync({ ...ask, name: 'c', value: string() });
  // @ts-expect-error the row may be missing
  stream.leftLookup({ ...look, name: 'd', merge: (_row, { n }) => n });
  // @ts-expect-error it needs a cache
  assert.throws(() => stream.lookup({ name: 'e', concurrency: 1, fn: look.fn, merge: look.merge }));
});
