import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../core/clock.ts';
import { type Random, randomInt, seededRandom } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topology as defineTopology, type Program, topic, tumbling } from '../topology/topology.ts';
import {
  counts,
  expectedRows,
  joined,
  lefts,
  randomUpdates,
  rights,
  topology,
  type Update,
  write,
} from './joined-job.fixture.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from './runtime.ts';
import { TopologyDriver } from './testing.ts';

const byKey = <V>(rows: Iterable<readonly [string, V]>) => [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1));

async function interrupt(driver: TopologyDriver, random: Random): Promise<void> {
  const what = randomInt(random, 12);
  if (what === 0) driver.commit();
  if (what === 1) await driver.crash();
  if (what === 2) await driver.rebalance();
}

test('tables of counts that differ are joined, whatever is committed, crashes or moves', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const random = seededRandom(seed);
      const driver = await TopologyDriver.open(topology, { commit: 'on demand', batchBytes: 300 });
      const updates = randomUpdates(random, 120);
      for (const { topic: name, key, value, timestamp } of updates) {
        driver.input(name === 'lefts' ? lefts : rights).send(key, value, { timestamp });
        await interrupt(driver, random);
      }
      const expected = expectedRows(updates);
      const rows = driver.table<string, string>('rows').rows();
      assert.deepEqual(byKey(rows.map(({ key, value }) => [key, value] as const)), byKey(expected.rows));
      const alike = driver.table<string, number>('counts').rows();
      const some = alike.filter(({ value }) => value > 0).map(({ key, value }) => [key, value] as const);
      assert.deepEqual(byKey(some), byKey(expected.counts));
    }),
    { numRuns: 10, seed: 20261128 },
  );
});

test('a filter with a store behind a join that keeps no rows takes away what it added', async () => {
  const table = (name: string) => topic(name, { key: string(), value: string(), partitions: 1 });
  const [left, right] = [table('left'), table('right')];
  const app = defineTopology('kept');
  app
    .table(left, { store: 'left' })
    .joinForeign(app.table(right, { store: 'right' }), {
      ...{ name: 'fk', foreignKey: (value: string) => value, merge: (_: string, row: string) => row },
    })
    .filter((row) => row !== 'small', { store: 'big', value: string() })
    .groupBy((row) => [row, row], { name: 'by', key: string(), value: string(), partitions: 1 })
    .count({ store: 'counts' });
  const driver = await TopologyDriver.open(app);
  const counted = () =>
    driver
      .table<string, number>('counts')
      .rows()
      .map(({ key, value }) => `${key} ${value}`);
  driver.input(right).send('a', 'large');
  driver.input(left).send('x', 'a');
  driver.input(left).send('y', 'a');
  assert.deepEqual(counted(), ['large 2']);
  driver.input(left).send('y', 'none');
  assert.deepEqual(counted(), ['large 1']);
  driver.input(right).send('a', 'small');
  driver.input(right).send('a', 'small');
  assert.deepEqual(counted(), ['large 0']);
});

test('a left table lies by any partitioner: it is answered where it asks', async () => {
  const odd = topic('odd', { key: string(), value: string(), partitions: 4, partitioner: 'unknown' });
  const out = topic('out', { key: string(), value: string(), partitions: 4, partitioner: 'unknown' });
  const app = defineTopology('odd');
  const options = { name: 'fk', foreignKey: (value: string) => value, merge: (a: string, b: string) => `${a}+${b}` };
  app
    .table(odd, { store: 'odd' })
    .joinForeign(app.table(rights, { store: 'rights' }), options)
    .toStream()
    .to(out);
  const driver = await TopologyDriver.open(app);
  for (let partition = 0; partition < 4; partition++) driver.input(odd).send(`k${partition}`, 'a', { partition });
  driver.input(rights).send('a', 'x');
  const read = driver.output(out).read();
  assert.deepEqual(
    read.map(({ key, value, partition }) => `${key} ${value} ${partition}`).toSorted(),
    [0, 1, 2, 3].map((n) => `k${n} a+x ${n}`),
  );
});

test('windows behind a join by foreign key close when all inputs have ended', async () => {
  const app = defineTopology('ends');
  const finals = topic('finals', { key: windowed(string(), 10), value: int64(), partitions: 3 });
  const table = app.table(lefts, { store: 'lefts' });
  // the right table is one of final results itself
  const windows = app.stream(rights).groupByKey().window(tumbling(10)).count({ store: 'windows' });
  const right = windows
    .suppress()
    .toStream()
    .map((count, { key }) => [key, `${count}`])
    .repartition({ name: 'closed', key: string(), value: string(), partitions: 2 })
    .toTable({ store: 'closed' });
  const row = { foreignKey: (value: string) => value, merge: (a: string, b: string) => a + b };
  const joins = table.joinForeign(right, { name: 'fk', ...row }).toStream();
  const some = joins.filterNot((value) => value === null);
  some.groupByKey().window(tumbling(10)).count({ store: 'joins' }).suppress().toStream().to(finals);
  const driver = await TopologyDriver.open(app);
  driver.input(lefts).send('k', 'a', { timestamp: 1 });
  driver.input(lefts).send('l', 'b', { timestamp: 2 });
  driver.input(rights).send('a', 'x', { timestamp: 3 });
  driver.input(rights).send('a', 'y', { timestamp: 4 });
  assert.deepEqual(driver.output(finals).read(), []);
  await driver.end();
  const read = driver.output(finals).read();
  assert.deepEqual(
    read.map(({ key, value }) => [key.key, key.start, value]),
    [['k', 0, 1]],
  );
});

function start(log: Log, settings: Partial<RunSettings>, program = topology.build()): Promise<Run> {
  return startRun({
    ...{ program, log, directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    state: createStateBackend({}),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, batchBytes: 2048, sliceRecords: 50, ...settings },
    module: { url: new URL('./joined-job.fixture.ts', import.meta.url).href, name: 'topology' },
  });
}

async function newest<V>(
  log: Log,
  from: Parameters<typeof readTopic<string, V>>[1],
): Promise<readonly (readonly [string, V])[]> {
  const rows = new Map<string, V>();
  await readTopic(log, from, (value, key) => {
    if (value === null) rows.delete(key);
    else rows.set(key, value);
  });
  return byKey(rows);
}

test('a bounded run ends, though its stages feed each other', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const random = seededRandom(2);
  const all = [];
  // the second run goes on from the first; of the third one half is done by worker threads
  for (const settings of [{}, {}, { workers: 2 }]) {
    const updates = randomUpdates(random, 1500, all.length);
    all.push(...updates);
    await write(log, updates);
    const run = await start(log, { until: 'end', ...settings });
    assert.equal((await run.finished).how, 'complete');
    const expected = expectedRows(all);
    assert.deepEqual(await newest(log, joined), byKey(expected.rows));
    const alike = (await newest(log, counts)).filter(([, count]) => count > 0);
    assert.deepEqual(alike, byKey(expected.counts));
  }
  await log.close();
});

/** Thousands of rows that name one, which changes now and then. */
function crowd(): readonly Update[] {
  const name = 'lefts' as const;
  const rows = Array.from({ length: 6000 }, (_, n): Update => {
    return { topic: name, key: `k${n}`, value: `f1|${n}${'.'.repeat(30)}`, timestamp: n };
  });
  const changes = ['x', null, 'y'].map(
    (value, n): Update => ({ topic: 'rights', key: 'f1', value, timestamp: 7000 + n }),
  );
  return [...rows, ...changes];
}

test('an update reaches thousands of rows, of which few fit into memory', { timeout: 240_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-foreign-'));
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const updates = crowd();
  await write(log, updates);
  const run = await startRun({
    ...{ program: topology.build(), log, directory, clock: systemClock, telemetry: silentTelemetry() },
    state: createStateBackend({}),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, batchBytes: 4096, stateBytes: 150_000, until: 'end' },
  });
  assert.equal((await run.finished).how, 'complete');
  assert.deepEqual(await newest(log, joined), byKey(expectedRows(updates).rows));
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Tables of repartitioned streams, so that their stages go by clocks, and windows over what the join puts out. */
function timed(): Program {
  const app = defineTopology('timed');
  const text = { key: string(), value: string() } as const;
  const table = (of: typeof lefts | typeof rights, partitions: number) => {
    const moved = app.stream<string, string, number>(of).map((value, key) => [key, value]);
    return moved.repartition({ ...text, name: `again-${of.name}`, partitions }).toTable({ store: of.name });
  };
  table(lefts, 4)
    .leftJoinForeign(table(rights, 2), {
      name: 'fk',
      foreignKey: (value) => value.split('|')[0]!,
      merge: (value, row) => `${value}+${row}`,
    })
    .toStream()
    .map((value, key) => [key.slice(0, 2), `${value}`])
    .repartition({ ...text, name: 'again-joined', partitions: 3 })
    .groupByKey()
    .window(tumbling(100, { grace: { hours: 1 } }))
    .count({ store: 'windows' })
    .suppress()
    .toStream()
    .to(finals);
  return app.build();
}

const finals = topic('finals', { key: windowed(string(), 100), value: int64(), partitions: 3 });

test('a bounded run ends where the stages go by clocks too', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const updates = randomUpdates(seededRandom(5), 1000);
  await write(log, updates);
  const run = await start(log, { until: 'end' }, timed());
  assert.equal((await run.finished).how, 'complete');
  let results = 0;
  await readTopic(log, finals, (count) => {
    results += count!;
  });
  // a row that has changed before its answer came has none
  const rows = new Set(updates.flatMap(({ topic: name, key }) => (name === 'lefts' ? [key] : [])));
  assert.ok(results >= rows.size, `${results} results of ${rows.size} rows`);
  await log.close();
});

test('processes that come and go lose no row', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const random = seededRandom(3);
  const all = [...randomUpdates(random, 800)];
  await write(log, all);
  const first = await start(log, {});
  const second = await start(log, {});
  for (let part = 0; part < 4; part++) {
    const more = randomUpdates(random, 400, all.length);
    all.push(...more);
    await write(log, more);
    if (part === 1) await second.drain();
    await systemClock.sleep(20);
  }
  const expected = JSON.stringify(byKey(expectedRows(all).rows));
  while (JSON.stringify(await newest(log, joined)) !== expected) await systemClock.sleep(20);
  await first.drain();
  await log.close();
});
