import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { createMemoryLog, type MemoryLog } from '../log/memory/memory.ts';
import { json, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology } from '../topology/topology.ts';
import { DEFAULT_SETTINGS, type Run, startRun } from './runtime.ts';

const orders = topic('orders', { key: string(), value: json(), partitions: 4 });
const out = topic('out', { key: string(), value: json(), partitions: 4 });

interface StartOptions {
  readonly instanceId: string;
  readonly directory?: string;
  readonly changed?: boolean;
}

function start(log: MemoryLog, { instanceId, directory, changed }: StartOptions): Promise<Run> {
  const shop = topology('shop');
  const stream = shop.stream(orders);
  (changed ? stream.mapValues((value) => value) : stream).to(out);
  return startRun({
    program: shop.build(),
    log,
    state: createStateBackend({}),
    directory,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, instanceId },
  });
}

async function openLog(): Promise<MemoryLog> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create('orders', { partitions: 4 });
  return log;
}

async function groupOf(log: MemoryLog) {
  const { generation, tasks } = (await log.admin.groups()).find(({ group }) => group === 'shop')!;
  return { generation, shares: [...tasks.values()].map((share) => share.join()).sort() };
}

test('a process that is started again under its instance id has its tasks, and the group goes on as it was', async () => {
  const log = await openLog();
  const one = await start(log, { instanceId: 'one' });
  const two = await start(log, { instanceId: 'two' });
  const before = await groupOf(log);
  assert.equal(before.shares.length, 2);
  await one.drain();
  assert.deepEqual(await groupOf(log), before);
  const again = await start(log, { instanceId: 'one' });
  assert.deepEqual(await groupOf(log), before);
  await Promise.all([again.drain(), two.drain()]);
  await log.close();
});

test('of two processes with one instance id the older ends and says why, the newer goes on', async () => {
  const log = await openLog();
  const older = await start(log, { instanceId: 'one' });
  const newer = await start(log, { instanceId: 'one' });
  await assert.rejects(
    older.finished,
    (thrown) => isFlowError(thrown, 'log.fenced') && /instance id one\b/.test(thrown.message),
  );
  assert.deepEqual((await groupOf(log)).shares.length, 1);
  await newer.drain();
  await log.close();
});

test('a process whose topology was changed meanwhile does not work by the old assignment', async () => {
  const log = await openLog();
  const one = await start(log, { instanceId: 'one' });
  const before = await groupOf(log);
  await one.drain();
  const changed = await start(log, { instanceId: 'one', changed: true });
  while ((await groupOf(log)).generation === before.generation) await systemClock.turn();
  assert.equal((await groupOf(log)).shares.join().split(',').length, 4);
  while (!changed.health().ready) await systemClock.turn();
  await changed.drain();
  await log.close();
});

test('a process that was turned away takes part when it comes back with the topology of the others', async () => {
  const log = await openLog();
  const one = await start(log, { instanceId: 'one' });
  const changed = await start(log, { instanceId: 'two', changed: true });
  await assert.rejects(changed.finished, (thrown) => isFlowError(thrown, 'plan.mismatch'));
  const two = await start(log, { instanceId: 'two' });
  while (!(await groupOf(log)).shares.every((share) => share.split(',').length === 2)) await systemClock.turn();
  while (!two.health().ready) await systemClock.turn();
  await Promise.all([one.drain(), two.drain()]);
  await log.close();
});

test('each instance has its own slot, which one process at a time can have; an id must be one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-static-'));
  const log = await openLog();
  const refuses = (instanceId: string, code: 'config.invalid' | 'log.locked', message: RegExp) =>
    assert.rejects(
      start(log, { instanceId, directory }),
      (thrown) => isFlowError(thrown, code) && message.test(thrown.message),
    );
  try {
    const one = await start(log, { instanceId: 'one', directory });
    await refuses('one', 'log.locked', /instance one of application shop/);
    const two = await start(log, { instanceId: 'two', directory });
    for (const odd of ['..', 'a/b', '', 'x'.repeat(250)]) await refuses(odd, 'config.invalid', /run\.instanceId/);
    await Promise.all([one.drain(), two.drain()]);
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
