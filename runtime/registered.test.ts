import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../core/bytes.ts';
import { systemClock } from '../core/clock.ts';
import { FlowError, isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { avro, int64, registered, type SchemaRegistry, type Serde, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { topic, topology } from '../topology/topology.ts';
import { openRegistryAt } from './open-registry.ts';
import { bindTopic, DEFAULT_SETTINGS, type Run, type RunSettings, readTopic, startRun } from './runtime.ts';
import { TopologyDriver } from './testing.ts';
import { encodeRecord } from './testing-records.ts';

const V1 = { type: 'record', name: 'Order', fields: [{ name: 'amount', type: 'int' }] } as const;
const V2 = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'note', type: 'string', default: '-' },
    { name: 'amount', type: 'long' },
  ],
} as const;
const SUM = { type: 'record', name: 'Sum', fields: [{ name: 'total', type: 'long' }] } as const;

const before = topic('orders', { key: string(), value: registered(avro(V1)), partitions: 2 });
const orders = topic('orders', { key: string(), value: registered(avro(V2)), partitions: 2 });
const large = topic('large', { key: string(), value: registered(avro(V2)), partitions: 2 });
const sums = topic('sums', { key: string(), value: registered(avro(SUM)), partitions: 2 });

function shop() {
  const app = topology('shop');
  const stream = app.stream(orders);
  stream.filter(({ amount }) => amount >= 10).to(large);
  stream
    .groupByKey()
    .aggregate({
      store: 'sums',
      value: registered(avro(SUM)),
      initial: () => ({ total: 0 }),
      add: (sum, { amount }) => ({ total: sum.total + amount }),
    })
    .toStream()
    .to(sums);
  return app;
}

interface Bench {
  readonly log: Log;
  readonly registry: SchemaRegistry;
  readonly telemetry: Telemetry;
  start(registry?: SchemaRegistry, settings?: Partial<RunSettings>): Promise<Run>;
  /** Writes records under the id that the registry gives the schema. */
  write<V>(
    to: { name: string; valueSerde: Serde<V>; partitions: number },
    rows: readonly (readonly [string, V])[],
  ): Promise<void>;
  read<V>(from: typeof sums | typeof large): Promise<readonly (readonly [string, V])[]>;
}

async function withBench(run: (bench: Bench) => Promise<void>): Promise<void> {
  const random = seededRandom(3);
  const log = createMemoryLog({ clock: systemClock, random });
  const opened = openRegistryAt({ kind: 'embedded' }, { log, clock: systemClock, random });
  const registry = opened.client;
  const engine = { registry: { client: registry }, clock: systemClock };
  const telemetry = silentTelemetry();
  await log.admin.create('orders', { partitions: 2 });
  await run({
    log,
    registry,
    telemetry,
    start: (client = registry, settings = {}) =>
      startRun({
        program: shop().build(),
        log,
        state: createStateBackend({}),
        directory: undefined,
        clock: systemClock,
        telemetry,
        registry: { client, address: { kind: 'embedded' } },
        settings: { ...DEFAULT_SETTINGS, until: 'end', commitIntervalMs: 5, ...settings },
      }),
    async write(to, rows) {
      const { valueSerde } = await bindTopic(to as unknown as typeof orders, engine, { write: true });
      const serdes = { key: string() as Serde<unknown>, value: valueSerde as Serde<unknown> };
      const producer = await log.producer({});
      for (const [key, value] of rows) {
        const { batch } = encodeRecord(serdes, { key, value, timestamp: 1000, headers: {} });
        await producer.append(to.name, key.length % to.partitions, batch);
      }
      await producer.close();
    },
    async read(from) {
      const rows: (readonly [string, never])[] = [];
      const bound = await bindTopic(from as typeof sums, engine);
      await readTopic(log, bound, (value, key) => rows.push([key, { ...value } as never]));
      return rows;
    },
  });
  await opened.close();
  await log.close();
}

test('values of an older version are read under the new one, and what is passed on keeps its id', async () => {
  await withBench(async ({ write, start, read }) => {
    await write(before, [
      ['a', { amount: 5 }],
      ['a', { amount: 20 }],
    ]);
    await write(orders, [
      ['a', { note: 'x', amount: 30 }],
      ['bb', { note: 'y', amount: 1 }],
    ]);
    await (await start()).finished;
    assert.deepEqual(await read(large), [
      ['a', { note: '-', amount: 20 }],
      ['a', { note: 'x', amount: 30 }],
    ]);
    const totals = Object.fromEntries((await read<{ total: number }>(sums)).map(([key, { total }]) => [key, total]));
    assert.deepEqual(totals, { a: 55, bb: 1 });
  });
});

/** Does not tell of older versions, and does not answer for them until it is told to. */
function hiding(registry: SchemaRegistry) {
  const state = { isAway: true, refusals: 0 };
  const client: SchemaRegistry = {
    name: registry.name,
    get figures() {
      const outage = state.isAway ? { since: 0, reason: 'nobody answers' } : undefined;
      return { requests: 5 + state.refusals, failures: state.refusals, cacheHits: 3, outage };
    },
    register: (subject, schema) => registry.register(subject, schema),
    lookUp: (subject, schema) => registry.lookUp(subject, schema),
    level: (subject) => registry.level(subject),
    parsed: (schema) => registry.parsed(schema),
    close: () => undefined,
    versions: async (subject) =>
      (await registry.versions(subject))?.filter(({ schema }) => !schema.text.includes('int')),
    async schema(id) {
      if (!state.isAway) return registry.schema(id);
      state.refusals++;
      throw new FlowError('registry.unreachable', 'the registry is away');
    },
  };
  return { state, client };
}

test('a task waits for the schema of a writer while the registry is away; others go on', {
  timeout: 240_000,
}, async () => {
  await withBench(async ({ registry, telemetry, write, start, read }) => {
    await write(before, [['a', { amount: 5 }]]);
    await write(orders, [
      ['a', { note: 'x', amount: 30 }],
      ['bb', { note: 'y', amount: 1 }],
      ['bb', { note: 'z', amount: 2 }],
    ]);
    const { state, client } = hiding(registry);
    const run = await start(client);
    while (run.progress().tasksEnded < 1 || state.refusals < 2) await systemClock.sleep(5);
    assert.equal(run.progress().records, 2);
    assert.match(run.health().degraded!, /^records wait for the schema registry, .* since 1970-.*: nobody answers$/);
    const shown = telemetry.exposition();
    for (const name of ['requests_total', 'failures_total', 'cache_hits_total', 'outage_seconds'])
      assert.match(shown, new RegExp(`nodeflow_registry_${name}\\{application="shop"\\} [1-9]`));
    state.isAway = false;
    assert.equal(run.health().degraded, undefined);
    assert.equal((await run.finished).how, 'complete');
    const totals = Object.fromEntries((await read<{ total: number }>(sums)).map(([key, { total }]) => [key, total]));
    assert.deepEqual(totals, { a: 35, bb: 3 });
  });
});

test('drained while it waits, a run goes on where it stood', { timeout: 240_000 }, async () => {
  await withBench(async ({ registry, write, start, read }) => {
    await write(before, []);
    await write(orders, [['a', { note: 'x', amount: 30 }]]);
    await write(before, [['a', { amount: 5 }]]);
    const { state, client } = hiding(registry);
    const run = await start(client);
    while (state.refusals < 1) await systemClock.sleep(5);
    await run.drain();
    await (await start()).finished;
    const totals = (await read<{ total: number }>(sums)).map(([, { total }]) => total);
    assert.deepEqual(totals, [30, 35]);
  });
});

test('an id that the registry does not have is an undecodable record', async () => {
  await withBench(async ({ log, registry, start }) => {
    const producer = await log.producer({});
    const serdes = { key: string() as Serde<unknown>, value: avro(V1, { id: 4711 }) as Serde<unknown> };
    const { batch } = encodeRecord(serdes, { key: 'a', value: { amount: 1 }, timestamp: 1, headers: {} });
    await producer.append('orders', 1, batch);
    await producer.close();
    await assert.rejects((await start(registry)).finished, (thrown) => {
      assert.ok(isFlowError(thrown, 'record.undecodable'));
      assert.match(
        thrown.message,
        /orders\/1 position 0 .* schema id 4711, which the registry of this log does not have/,
      );
      return true;
    });
  });
});

test('a plan that does not go with its subjects is refused before anything is made', async () => {
  await withBench(async ({ log, registry, start }) => {
    const other = { type: 'record', name: 'Order', fields: [{ name: 'amount', type: 'string' }] };
    await registry.register('orders-value', { type: 'AVRO', text: JSON.stringify(other), references: [] });
    await registry.register('large-value', { type: 'AVRO', text: JSON.stringify(other), references: [] });
    await assert.rejects(start(), (thrown) => {
      assert.ok(isFlowError(thrown, 'registry.incompatible'));
      for (const part of [
        'topic orders',
        'subject orders-value',
        'topic large',
        'subject large-value',
        'Order.amount',
      ]) {
        assert.ok(thrown.message.includes(part), thrown.message);
      }
      return true;
    });
    assert.equal(await log.admin.describe('large'), undefined);
    assert.equal(await registry.versions('sums-value'), undefined);
  });
});

test('a plan with such serdes needs a registry', async () => {
  await withBench(async ({ log }) => {
    const started = startRun({
      program: shop().build(),
      ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock },
      ...{ telemetry: silentTelemetry(), settings: DEFAULT_SETTINGS },
    });
    await assert.rejects(started, (thrown) => {
      assert.ok(isFlowError(thrown, 'registry.missing'));
      assert.match(thrown.message, /topic .* is registered\(.*set registry\.url/);
      return true;
    });
  });
});

test('rows of a store are read by the next version of the application', async () => {
  await withBench(async ({ log, registry, write, start }) => {
    await write(orders, [['a', { note: 'x', amount: 30 }]]);
    await (await start()).finished;
    const versions = await registry.versions('nf.shop.sums.changelog-value');
    assert.equal(versions?.length, 1);
    const next = topology('shop');
    const more = { ...SUM, fields: [{ name: 'count', type: 'int', default: 100 }, ...SUM.fields] } as const;
    const moreSums = topic('sums', { key: string(), value: registered(avro(more)), partitions: 2 });
    const stream = next.stream(orders);
    stream.filter(({ amount }) => amount >= 10).to(large);
    stream
      .groupByKey()
      .aggregate({
        store: 'sums',
        value: registered(avro(more)),
        initial: () => ({ count: 0, total: 0 }),
        add: (sum, { amount }) => ({ count: sum.count + 1, total: sum.total + amount }),
      })
      .toStream()
      .to(moreSums);
    await write(orders, [['a', { note: 'y', amount: 3 }]]);
    const run = await startRun({
      program: next.build(),
      ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
      registry: { client: registry, address: { kind: 'embedded' } },
      settings: { ...DEFAULT_SETTINGS, until: 'end', commitIntervalMs: 5 },
    });
    await run.finished;
    const rows: unknown[] = [];
    const bound = await bindTopic(moreSums, { registry: { client: registry }, clock: systemClock });
    await readTopic(log, bound, (value) => rows.push({ ...value }));
    assert.deepEqual(rows, [
      { count: 100, total: 30 },
      { count: 101, total: 33 },
    ]);
  });
});

test('the test driver gives ids of its own', async () => {
  const driver = await TopologyDriver.open(shop());
  driver.input(orders).send('a', { note: 'n', amount: 12 }, { timestamp: 5 });
  assert.deepEqual(
    driver
      .output(sums)
      .read()
      .map(({ value }) => value),
    [{ total: 12 }],
  );
  assert.deepEqual(
    driver
      .output(large)
      .read()
      .map(({ value }) => value),
    [{ note: 'n', amount: 12 }],
  );
});

test('equal keys of several versions are one row, and leave as one key', async () => {
  const key = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'int' }] } as const;
  const wider = { ...key, fields: [{ name: 'id', type: 'long' }] } as const;
  const older = topic('keyed', { key: registered(avro(key)), value: string(), partitions: 1 });
  const newer = topic('keyed', { key: registered(avro(wider)), value: string(), partitions: 1 });
  const counts = topic('counts', { key: registered(avro(wider)), value: int64(), partitions: 1 });
  await withBench(async ({ log, registry }) => {
    const engine = { registry: { client: registry }, clock: systemClock };
    await log.admin.create('keyed', { partitions: 1 });
    const producer = await log.producer({});
    for (const each of [older, newer]) {
      const bound = await bindTopic(each as typeof newer, engine, { write: true });
      const serdes = { key: bound.keySerde as Serde<unknown>, value: string() as Serde<unknown> };
      const { batch } = encodeRecord(serdes, { key: { id: 7 }, value: 'v', timestamp: 1, headers: {} });
      await producer.append('keyed', 0, batch);
    }
    const app = topology('keys');
    app.stream(newer).groupByKey().count({ store: 'n' }).toStream().to(counts);
    const run = await startRun({
      program: app.build(),
      ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
      registry: { client: registry, address: { kind: 'embedded' } },
      settings: { ...DEFAULT_SETTINGS, until: 'end' },
    });
    await run.finished;
    const rows: unknown[] = [];
    await readTopic(log, await bindTopic(counts, engine), (value, { id }) => rows.push([id, value]));
    assert.deepEqual(rows, [
      [7, 1],
      [7, 2],
    ]);
  });
});

test('a schema that is only looked up has to be there', async () => {
  await withBench(async ({ log, registry }) => {
    const app = topology('looks');
    const only = topic('large', { key: string(), value: registered(avro(V2), { register: false }), partitions: 2 });
    app
      .stream(orders)
      .mapValues((order) => ({ ...order }))
      .to(only);
    const start = () =>
      startRun({
        program: app.build(),
        ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock },
        ...{ telemetry: silentTelemetry(), registry: { client: registry, address: { kind: 'embedded' } } },
        settings: { ...DEFAULT_SETTINGS, until: 'end' },
      });
    await assert.rejects(start(), /topic large, subject large-value .*: the schema is not registered; register it/);
    await registry.register('large-value', { type: 'AVRO', text: JSON.stringify(V2), references: [] });
    await (await start()).finished;
  });
});

test('a record of an unknown writer that fails unread is not taken for one that cannot be decoded', {
  timeout: 240_000,
}, async () => {
  const long = { ...V1, fields: [...V1.fields, { name: 'gone', type: 'string' }] } as const;
  const longer = topic('orders', { key: string(), value: registered(avro(long)), partitions: 2 });
  await withBench(async ({ log, registry, write }) => {
    await write(longer, []);
    await write(orders, []);
    const engine = { registry: { client: registry }, clock: systemClock };
    // in one batch, of which only the first record is decoded before it is asked for
    const batch = new BatchBuilder(new Step());
    const key = Buffer.from('a');
    const append = <V>(serde: Serde<V>, value: V) => {
      const out = new ByteWriter();
      serde.encode(value, out);
      batch.append(1, key, 0, key.length, out.bytes, 0, out.at);
    };
    append((await bindTopic(orders, engine, { write: true })).valueSerde, { note: 'x', amount: 1 });
    append((await bindTopic(longer, engine, { write: true })).valueSerde, { amount: 2, gone: 'x'.repeat(500) });
    const producer = await log.producer({});
    await producer.append('orders', 1, batch.finish());
    await producer.close();
    const { state, client } = hiding(registry);
    state.isAway = false;
    const app = topology('fails');
    app.stream(orders).to(large);
    await log.admin.create('large', { partitions: 2, maxMessageBytes: 300 });
    const run = await startRun({
      program: app.build(),
      ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
      registry: { client, address: { kind: 'embedded' } },
      settings: { ...DEFAULT_SETTINGS, until: 'end' },
    });
    await assert.rejects(run.finished, (thrown) => isFlowError(thrown, 'record.failed'));
  });
});
