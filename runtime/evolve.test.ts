import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { planRow } from '../checkpoints/checkpoints.ts';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { avro, int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry, silentTelemetry } from '../telemetry/telemetry.ts';
import { planHash, type Renames, topic, topology, tumbling } from '../topology/topology.ts';
import { appendRecords } from './append-records.testing.ts';
import { copyRecords } from './copy-records.ts';
import {
  DEFAULT_SETTINGS,
  forgetOrphans,
  inspectOrphans,
  inspectPlanDiff,
  readTopic,
  startRun,
  storedPlan,
} from './runtime.ts';
import { writeLedger } from './write-ledger.ts';

const TIMEOUT = { timeout: 240_000 };
const events = topic('events', { key: string(), value: int64(), partitions: 1 });
const out = topic('out', { key: string(), value: string(), partitions: 2 });
const sum = avro({ type: 'record', name: 'Sum', fields: [{ name: 'total', type: 'long' }] });

interface Shape {
  readonly store?: string;
  readonly by?: string;
  readonly windowMs?: number;
  readonly schemas?: boolean;
}

/** Counts per window and key, and adds up per key; says final counts and sums. */
function shop({ store = 'counts', by = 'by', windowMs = 1000, schemas = false }: Shape = {}) {
  const app = topology('shop');
  const grouped = app.stream(events).groupBy((_, key) => key, { name: by, key: string(), partitions: 2 });
  if (schemas) {
    const add = ({ total }: { total: number }, n: number) => ({ total: total + n });
    const sums = grouped.aggregate({ store, value: sum, initial: () => ({ total: 0 }), add });
    sums
      .toStream()
      .mapValues((row) => `sum ${row?.total}`)
      .to(out);
    return app;
  }
  grouped
    .window(tumbling(windowMs))
    .count({ store })
    .suppress()
    .toStream()
    .map((count, { key, start }) => [key, `${start}: ${count}`])
    .repartition({ name: 'again', key: string(), value: string(), partitions: 2 })
    .to(out);
  return app;
}

interface Place {
  readonly log: Log;
  readonly directory?: string | undefined;
}

async function send(log: Log, ...rows: readonly (readonly [key: string, n: number, at: number])[]): Promise<void> {
  if ((await log.admin.describe('events')) === undefined) await log.admin.create('events', { partitions: 1 });
  await appendRecords(log, events, rows);
}

/** Runs until what is there is done; answers what was put out in this run, and what was said. */
async function run({ log, directory }: Place, shape: Shape = {}, renames?: Renames) {
  const before = await texts(log);
  const lines: string[] = [];
  const state = createStateBackend({});
  const telemetry = createTelemetry({
    level: 'info',
    form: 'json',
    process: false,
    sink: { write: (line) => void lines.push(String((JSON.parse(line) as { message: string }).message)) },
  });
  const started = await startRun({
    ...{ program: shop(shape).build(), log, state, directory, clock: systemClock, telemetry, renames },
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5 },
  });
  while (started.progress().lag > 0 || !started.health().ready || !(await isRead(log))) await systemClock.sleep(5);
  await started.drain();
  await state.close();
  return { written: (await texts(log)).slice(before.length), lines };
}

/** Every record on its way is processed: positions of the group stand at the ends. */
async function isRead(log: Log): Promise<boolean> {
  const topics = (await log.admin.list()).filter((name) => name === 'events' || name.endsWith('.repartition'));
  for (const name of topics) {
    for (const partition of name === 'events' ? [0] : [0, 1]) {
      const { stable } = await log.admin.bounds(name, partition);
      const [position] = await log.committed('shop', [{ topic: name, partition }]);
      if (!name.includes('.former') && (position?.position ?? 0) < stable && stable > 0) return false;
    }
  }
  return true;
}

async function texts(log: Log): Promise<readonly string[]> {
  const found: string[] = [];
  if ((await log.admin.describe('out')) === undefined) return found;
  await readTopic(log, out, (value, key) => void found.push(`${key} ${value}`));
  return found.sort();
}

async function within(work: (log: Log) => Promise<void>): Promise<void> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await work(log);
  await log.close();
}

for (const onDisk of [false, true]) {
  test(
    `a renamed store goes on with its rows, and what was closed stays closed, ${onDisk ? 'on disk' : 'in memory'}`,
    TIMEOUT,
    async () => {
      const directory = onDisk ? mkdtempSync(join(tmpdir(), 'nodeflow-evolve-')) : undefined;
      await within(async (log) => {
        const place = { log, directory };
        await send(log, ['a', 1, 100], ['a', 1, 1100], ['a', 1, 1200]);
        assert.deepEqual((await run(place)).written, ['a 0: 1']);
        await send(log, ['a', 1, 200], ['a', 1, 1300], ['a', 1, 2000]);
        const { written, lines } = await run(place, { store: 'totals' }, { counts: 'totals' });
        assert.deepEqual(written, ['a 1000: 3'], 'the window of 0 is closed, that of 1000 goes on');
        assert.ok(
          lines.some((line) => /^store totals: renamed from counts, .* rebuilt from that \(\d records\)$/.test(line)),
          lines.join('\n'),
        );
        await send(log, ['a', 1, 3000]);
        assert.deepEqual((await run(place, { store: 'totals' }, { counts: 'totals' })).written, ['a 2000: 1']);
      });
      if (directory !== undefined) rmSync(directory, { recursive: true });
    },
  );
}

test('a store whose stage has another name is rebuilt, and what was closed stays closed', TIMEOUT, async () => {
  await within(async (log) => {
    await send(log, ['a', 1, 100], ['a', 1, 1100], ['a', 1, 1200]);
    assert.deepEqual((await run({ log })).written, ['a 0: 1']);
    await send(log, ['a', 1, 200], ['a', 1, 1300], ['a', 1, 2000]);
    const { written, lines } = await run({ log }, { by: 'anew' });
    assert.deepEqual(written, ['a 1000: 3']);
    assert.ok(lines.some((line) => line.startsWith('store counts: carries over to another stage, rebuilt')));
    assert.ok(lines.some((line) => line.startsWith('topic nf.shop.by.repartition: no longer used; it stays until')));
  });
});

test(
  'without a rename the store begins empty, and what is left behind can be listed and deleted',
  TIMEOUT,
  async () => {
    await within(async (log) => {
      await send(log, ['a', 1, 100]);
      await run({ log });
      await send(log, ['a', 1, 300], ['a', 1, 1500]);
      assert.deepEqual((await run({ log }, { store: 'totals' })).written, ['a 0: 1']);
      const { plan } = shop({ store: 'totals' }).build();
      const left = (await inspectOrphans(plan, log)).map(({ topic: name }) => name);
      assert.deepEqual(left, ['nf.shop.counts.changelog']);
      await forgetOrphans(plan, log);
      assert.deepEqual(await inspectOrphans(plan, log), []);
    });
  },
);

test('what does not fit is refused with its cure, and nothing is made or changed', TIMEOUT, async () => {
  await within(async (log) => {
    await send(log, ['a', 1, 100]);
    await run({ log });
    const topics = (await log.admin.list()).toSorted();
    await assert.rejects(run({ log }, { windowMs: 500, by: 'anew' }), (thrown) => {
      assert.ok(isFlowError(thrown, 'plan.incompatible'), String(thrown));
      assert.match(
        thrown.message,
        /store counts: its windows were .*change the windows back, give the store another name/,
      );
      return true;
    });
    assert.deepEqual((await log.admin.list()).toSorted(), topics);
    const former = await storedPlan({ plan: shop().build().plan, log, clock: systemClock });
    assert.equal(planHash(former!), planHash(shop().build().plan));
  });
});

test('a copy that was cut short is made again from the start', TIMEOUT, async () => {
  await within(async (log) => {
    await send(log, ['a', 1, 100], ['b', 1, 100]);
    await run({ log });
    const [from, to] = ['nf.shop.counts.changelog', 'nf.shop.totals.changelog'];
    const { settings } = (await log.admin.describe(from))!;
    await log.admin.create(to, settings);
    await copyRecords(log, from, to, 0);
    const { plan } = shop().build();
    const renamed = { store: 'totals' };
    await assert.rejects(run({ log }, renamed, { counts: 'totals' }), /an earlier plan left rows in nf\.shop\.totals/);
    await writeLedger(log, 'shop', planRow(0, { plan, next: planHash(shop(renamed).build().plan) }));
    await send(log, ['a', 1, 300], ['b', 1, 1000], ['a', 1, 1000]);
    assert.deepEqual((await run({ log }, renamed, { counts: 'totals' })).written, ['a 0: 2', 'b 0: 1']);
  });
});

test('a stored plan of another version is refused in words', TIMEOUT, async () => {
  await within(async (log) => {
    await send(log, ['a', 1, 100]);
    await run({ log });
    const { plan } = shop().build();
    // as version 1 has it, and stays readable
    await writeLedger(log, 'shop', {
      key: 'plan',
      at: 0,
      value: { version: 1, plan: JSON.parse(JSON.stringify(plan)) },
    });
    assert.equal(planHash((await storedPlan({ plan, log, clock: systemClock }))!), planHash(plan));
    await writeLedger(log, 'shop', { key: 'plan', at: 0, value: { version: 2, plans: [] } });
    await assert.rejects(run({ log }), (thrown) => {
      assert.ok(isFlowError(thrown, 'state.format'), String(thrown));
      assert.match(thrown.message, /topic nf\.shop\.run keeps a plan in version 2, this version reads 1: use/);
      return true;
    });
  });
});

test('rows of an Avro schema are renamed with what is known of their schema', TIMEOUT, async () => {
  await within(async (log) => {
    await send(log, ['a', 4, 100]);
    assert.deepEqual((await run({ log }, { schemas: true })).written, ['a sum 4']);
    await send(log, ['a', 5, 200]);
    const { written } = await run({ log }, { schemas: true, store: 'totals' }, { counts: 'totals' });
    assert.deepEqual(written, ['a sum 9']);
  });
});

test(
  'while others are at work with the former plan nothing is carried over, and their plan stays stored',
  TIMEOUT,
  async () => {
    await within(async (log) => {
      await send(log, ['a', 1, 100]);
      const start = (shape: Shape, renames?: Renames) =>
        startRun({
          ...{ program: shop(shape).build(), log, state: createStateBackend({}), directory: undefined },
          ...{ clock: systemClock, telemetry: silentTelemetry(), renames, settings: DEFAULT_SETTINGS },
        });
      const atWork = await start({});
      await assert.rejects(start({ store: 'totals' }, { counts: 'totals' }), (thrown) =>
        isFlowError(thrown, 'log.locked'),
      );
      const turnedAway = await start({ store: 'totals' });
      await assert.rejects(turnedAway.finished, (thrown) => isFlowError(thrown, 'plan.mismatch'));
      const parts = { plan: shop({ store: 'totals' }).build().plan, log, clock: systemClock };
      assert.equal(planHash((await storedPlan(parts))!), planHash(shop().build().plan));
      const found = await inspectPlanDiff(parts);
      assert.deepEqual(
        found!.diff.stores.map(({ store, how }) => `${store} ${how}`),
        ['totals added', 'counts removed'],
      );
      await atWork.drain();
    });
  },
);
