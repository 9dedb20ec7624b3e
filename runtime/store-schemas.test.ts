import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { type AvroSchema, avro, int32, json, type Serde, string, windowed } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { appendRecords } from './append-records.testing.ts';
import { DEFAULT_SETTINGS, readTopic, resetApplication, startRun } from './runtime.ts';

const HOUR_MS = 3_600_000;

type Row = { readonly [field: string]: unknown };

const events = topic('events', { key: string(), value: int32(), partitions: 1 });
const out = topic('out', { key: string(), value: json<Row>(), partitions: 1 });

const record = (...fields: readonly object[]) => ({ type: 'record', name: 'Sum', fields }) as unknown as AvroSchema;
const outOfWindows = topic('out', { key: windowed(string(), HOUR_MS), value: json<Row>(), partitions: 1 });
const plain = (value: Row | null): Row | null => value && { ...value };

/** A row of numbers, which is kept as such, and one with a text, which is kept as bytes. */
const NUMBERS = record({ name: 'n', type: 'int' });
const MORE_NUMBERS = record({ name: 'more', type: 'double', default: 0.5 }, { name: 'n', type: 'long' });
const TEXT = record({ name: 'n', type: 'int' }, { name: 'note', type: 'string', default: 'new' });
const NOT_READABLE = record({ name: 'n', type: 'int' }, { name: 'wanted', type: 'string' });

/** Adds up `n`, in a store or per window, and keeps every other field as it is. */
function adder(schema: AvroSchema, windows: boolean) {
  const app = topology('adder');
  const group = app.stream(events).groupByKey();
  const options = {
    store: 'sums',
    value: avro(schema) as Serde<Row>,
    initial: (): Row => ({ n: 0, more: 7, note: 'first', wanted: '' }),
    add: (sum: Row, n: number): Row => ({ ...sum, n: Number(sum['n']) + n }),
  };
  if (windows) {
    group
      .window(tumbling({ hours: 1 }, { grace: { hours: 1 } }))
      .aggregate(options)
      .toStream()
      .mapValues(plain)
      .to(outOfWindows);
  } else {
    group.aggregate(options).toStream().mapValues(plain).to(out);
  }
  return app;
}

interface Place {
  readonly log: Log;
  readonly directory: string | undefined;
  readonly windows: boolean;
}

async function send(log: Log, n: number, { to = events, timestamp = 1000 } = {}): Promise<void> {
  if ((await log.admin.describe('events')) === undefined) await log.admin.create('events', { partitions: 1 });
  await appendRecords(log, to, [['k', n, timestamp]]);
}

async function run(schema: AvroSchema, { log, directory, windows }: Place): Promise<Row> {
  const state = createStateBackend({});
  const started = await startRun({
    program: adder(schema, windows).build(),
    ...{ log, state, directory, clock: systemClock, telemetry: silentTelemetry() },
    settings: { ...DEFAULT_SETTINGS, until: 'end', commitIntervalMs: 5 },
  });
  await started.finished;
  await state.close();
  let last: Row = {};
  const take = (value: Row | null) => {
    last = { ...value };
  };
  await (windows ? readTopic(log, outOfWindows, take) : readTopic(log, out, take));
  return last;
}

async function within(run: (log: Log) => Promise<void>): Promise<void> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await run(log);
  await log.close();
}

for (const windows of [false, true]) {
  for (const onDisk of [false, true]) {
    const title = `rows ${windows ? 'of windows ' : ''}are read under the schema of a changed application, ${onDisk ? 'from its disk' : 'restored'}`;
    test(title, { timeout: 240_000 }, async () => {
      const directory = onDisk ? mkdtempSync(join(tmpdir(), 'nodeflow-rows-')) : undefined;
      await within(async (log) => {
        const place = { log, directory, windows };
        await send(log, 1);
        assert.deepEqual(await run(NUMBERS, place), { n: 1 });
        await send(log, 2);
        assert.deepEqual(await run(MORE_NUMBERS, place), { more: 0.5, n: 3 });
        await send(log, 4);
        assert.deepEqual(await run(MORE_NUMBERS, place), { more: 0.5, n: 7 });
      });
      if (directory !== undefined) rmSync(directory, { recursive: true });
    });
  }
}

test('rows of numbers become rows with a text', async () => {
  await within(async (log) => {
    const place = { log, directory: undefined, windows: false };
    await send(log, 1);
    await run(NUMBERS, place);
    await send(log, 2);
    assert.deepEqual(await run(TEXT, place), { n: 3, note: 'new' });
  });
});

const asks = topic('asks', { key: string(), value: int32(), partitions: 1 });

/** Keeps the newest event of a key with its history, and answers asks with the one that was valid then. */
function asOf(schema: AvroSchema) {
  const app = topology('as-of');
  const rows = app
    .stream(events)
    .mapValues((n): Row => ({ n, more: 7, note: 'first' }))
    .toTable({ store: 'rows', value: avro(schema) as Serde<Row>, history: { hours: 1 } });
  app
    .stream(asks)
    .joinTable(rows, { merge: (ask, row): Row => ({ ask, ...row }) })
    .to(out);
  return app;
}

test('a table with a history answers with rows of the version before', async () => {
  await within(async (log) => {
    await log.admin.create('asks', { partitions: 1 });
    const go = async (schema: AvroSchema) => {
      const state = createStateBackend({});
      const started = await startRun({
        program: asOf(schema).build(),
        ...{ log, state, directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
        settings: { ...DEFAULT_SETTINGS, until: 'end', commitIntervalMs: 5 },
      });
      await started.finished;
      await state.close();
    };
    await send(log, 1, { timestamp: 1000 });
    await send(log, 2, { timestamp: 2000 });
    await go(NUMBERS);
    await send(log, 3, { timestamp: 3000 });
    await send(log, 10, { timestamp: 1500, to: asks });
    await send(log, 20, { timestamp: 2500, to: asks });
    await send(log, 30, { timestamp: 3500, to: asks });
    await go(MORE_NUMBERS);
    const found: Row[] = [];
    await readTopic(log, out, (value) => found.push({ ...value }));
    assert.deepEqual(found, [
      { ask: 10, more: 0.5, n: 1 },
      { ask: 20, more: 0.5, n: 2 },
      { ask: 30, more: 7, n: 3 },
    ]);
  });
});

const refusal = (code: string, text: RegExp) => (thrown: unknown) => {
  assert.ok(isFlowError(thrown) && thrown.code === code, String(thrown));
  assert.match(thrown.message, text);
  return true;
};

test('a schema that cannot read the rows is refused with the cures, one of which is a reset', async () => {
  await within(async (log) => {
    const place = { log, directory: undefined, windows: false };
    await send(log, 1);
    await run(NUMBERS, place);
    const text =
      /store sums of adder has rows of version 1 .*: Sum\.wanted was not written, and has no default; correct .* nodeflow reset adder/;
    await assert.rejects(run(NOT_READABLE, place), refusal('state.schema', text));
    await send(log, 2);
    assert.deepEqual(await run(NUMBERS, place), { n: 3 });
    const { plan } = adder(NUMBERS, false).build();
    await resetApplication({ plan, log, directory: undefined, outputs: true });
    assert.deepEqual(await run(NOT_READABLE, place), { n: 3, wanted: '' });
  });
});

test('rows of which no schema is known are refused', async () => {
  await within(async (log) => {
    const place = { log, directory: undefined, windows: false };
    await send(log, 1);
    await run(NUMBERS, place);
    await log.admin.delete('nf.adder.schemas');
    const text = /store sums of adder has rows of which no schema is known; go on with the version that wrote them/;
    await assert.rejects(run(NUMBERS, place), refusal('state.format', text));
  });
});
