import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topology as defineTopology, topic } from '../topology/topology.ts';
import { events, out, rows, topology } from './global-job.fixture.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from './runtime.ts';
import { TopologyDriver } from './testing.ts';

type Row = readonly [key: string | null, value: string | null];

/** Spreads records over the partitions of a topic. */
async function write(log: Log, { name, partitions }: typeof rows | typeof events, records: readonly Row[]) {
  if ((await log.admin.describe(name)) === undefined) await log.admin.create(name, { partitions });
  const producer = await log.producer({});
  for (let partition = 0; partition < partitions; partition++) {
    const own = records.filter((_record, n) => n % partitions === partition);
    if (own.length === 0) continue;
    const builder = new BatchBuilder(new Step());
    for (const [n, [key, value]] of own.entries()) {
      const [keyBytes, valueBytes] = [Buffer.from(key ?? ''), Buffer.from(value ?? '')];
      const [keyStart, valueStart] = [key === null ? -1 : 0, value === null ? -1 : 0];
      builder.append(n, keyBytes, keyStart, keyBytes.length, valueBytes, valueStart, valueBytes.length);
    }
    await producer.append(name, partition, builder.finish());
  }
  await producer.close();
}

function start(log: Log, settings: Partial<RunSettings>): Promise<Run> {
  return startRun({
    ...{ program: topology.build(), log, directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    state: createStateBackend({}),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, sliceRecords: 50, ...settings },
    module: { url: new URL('./global-job.fixture.ts', import.meta.url).href, name: 'topology' },
  });
}

async function read(log: Log): Promise<readonly string[]> {
  const values: string[] = [];
  if ((await log.admin.describe(out.name)) === undefined) return values;
  await readTopic(log, out, (value, key) => {
    values.push(`${key}=${value}`);
  });
  return values.toSorted();
}

async function inLog(work: (log: Log) => Promise<void>): Promise<void> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  try {
    await work(log);
  } finally {
    await log.close();
  }
}

const COUNT = 400;
const rowsOf = (version: number): readonly Row[] =>
  Array.from({ length: COUNT }, (_, n) => [`r${n}`, `v${version}-${n}`]);
const eventsOf = (from: number, to: number): readonly Row[] =>
  Array.from({ length: to - from }, (_, n) => [`e${from + n}`, `r${(from + n) % (COUNT + 10)}`]);
const joinedBy = (version: number, [key, value]: Row) =>
  `${key}=${value}:${Number(value!.slice(1)) < COUNT ? `v${version}-${value!.slice(1)}` : null}`;

for (const workers of [1, 2]) {
  const title = `rows are there before the first record, in every task, with ${workers} workers, and again after a restart`;
  test(title, { timeout: 240_000 }, () =>
    inLog(async (log) => {
      await write(log, rows, [...rowsOf(0), [null, 'no row'], ['gone', 'v']]);
      await write(log, rows, [...rowsOf(1), [null, null], ['gone', null]]);
      const first = eventsOf(0, 900);
      await write(log, events, first);
      const run = await start(log, { until: 'end', workers });
      assert.equal((await run.finished).how, 'complete');
      const expected = first.map((event) => joinedBy(1, event));
      assert.deepEqual(await read(log), expected.toSorted());
      await write(log, rows, rowsOf(2));
      const second = eventsOf(900, 1300);
      await write(log, events, second);
      const again = await start(log, { until: 'end', workers });
      assert.equal((await again.finished).how, 'complete');
      expected.push(...second.map((event) => joinedBy(2, event)));
      assert.deepEqual(await read(log), expected.toSorted());
    }),
  );
}

test('rows that come later are followed, whatever their times are', { timeout: 240_000 }, () =>
  inLog(async (log) => {
    await write(log, rows, rowsOf(0));
    await write(log, events, []);
    const run = await start(log, {});
    for (const version of [1, 2]) {
      await write(log, rows, rowsOf(version));
      const wanted = joinedBy(version, ['e', 'r5']);
      // one of them is late enough to meet the new row
      for (let tries = 0; !(await read(log)).includes(wanted); tries++) {
        assert.ok(tries < 500, 'the new rows never came');
        await write(log, events, [['e', 'r5']]);
        await systemClock.sleep(5);
      }
    }
    await run.drain();
  }),
);

test('global tables that do not fit into memory end the run with the cure', { timeout: 240_000 }, () =>
  inLog(async (log) => {
    await write(log, rows, rowsOf(0));
    await write(log, events, eventsOf(0, 3));
    await assert.rejects(start(log, { until: 'end', stateBytes: 5000 }), (thrown: unknown) => {
      assert.ok(isFlowError(thrown, 'state.bound'), String(thrown));
      assert.match(thrown.message, /rows among them, and the bound of its state is 5000: raise state\.memory/);
      return true;
    });
  }),
);

test('in a test driver rows count at once, and stay over crashes', async () => {
  const driver = await TopologyDriver.open(topology, { commit: 'on demand' });
  driver.input(rows).send('r1', 'a', { partition: 2, timestamp: 99 });
  driver.input(events).send('e1', 'r1', { timestamp: 1 });
  await driver.crash();
  driver.input(rows).send('r1', 'b', { partition: 2, timestamp: 3 });
  driver.input(events).send('e2', 'r1', { timestamp: 2 });
  await driver.rebalance();
  driver.input(events).send('e3', 'r2', { timestamp: 3 });
  driver.commit();
  const told = driver.output(out).read();
  assert.deepEqual(
    told.map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`),
    ['e1 r1:a 1', 'e2 r1:b 2', 'e3 r2:null 3'],
  );
  assert.deepEqual(
    driver
      .table('rows')
      .rows()
      .map(({ key, value }) => [key, value]),
    [['r1', 'b']],
  );
});

test('a topic that the plan writes itself may be a global table: a crash takes back what was not committed', async () => {
  const texts = { key: string(), value: string(), partitions: 2 } as const;
  const [names, shared, seen] = [topic('names', texts), topic('shared', texts), topic('seen', texts)];
  const app = defineTopology('shares');
  app.stream(names).to(shared);
  const table = app.globalTable(shared, { store: 'shared' });
  app
    .stream(topic('asks', texts))
    .leftJoinGlobal(table, { key: (value) => value, merge: (value, row) => `${value}:${row}` })
    .to(seen);
  const driver = await TopologyDriver.open(app, { commit: 'on demand' });
  driver.input(names).send('k', 'a');
  driver.commit();
  driver.input(names).send('k', 'b');
  assert.equal(driver.table('shared').get('k'), 'b');
  await driver.crash();
  // the record is processed again
  assert.equal(driver.table('shared').get('k'), 'b');
  assert.deepEqual(
    driver
      .output(shared)
      .read()
      .map(({ value }) => value),
    ['a'],
  );
});

test('records without a key name no row, and are counted', async () => {
  const driver = await TopologyDriver.open(topology);
  driver.input(rows).send(null, 'no row');
  driver.input(rows).send(null, null);
  driver.input(rows).send('r1', 'a');
  assert.deepEqual(driver.dropped(), { 'globalTable:rows null-key': 2 });
});
