import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { type Program, type Stream, topic, topology, tumbling } from '../topology/topology.ts';
import { holdingBack } from './holding-back.fixture.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from './runtime.ts';

const input = topic('in', { key: string(), value: int64(), partitions: 2 });
const output = topic('out', { key: windowed(string(), 10), value: int64(), partitions: 1 });

function program() {
  const app = topology('idle');
  app
    .stream(input)
    .groupBy(() => 'all', { name: 'by', key: string(), partitions: 1 })
    .window(tumbling(10))
    .count({ store: 'counts' })
    .suppress()
    .toStream()
    .to(output);
  return app.build();
}

async function write(log: Log, partition: number, times: readonly number[], name = 'in'): Promise<void> {
  const builder = new BatchBuilder(new Step());
  const bytes = Buffer.alloc(8);
  for (const at of times) builder.append(at, bytes, 0, 1, bytes, 0, 8);
  const producer = await log.producer({});
  await producer.append(name, partition, builder.finish());
  await producer.close();
}

async function windowsOf(log: Log): Promise<readonly string[]> {
  const rows: string[] = [];
  await readTopic(log, output, (value, key) => void rows.push(`${key!.start}: ${value}`));
  return rows;
}

async function openLog(): Promise<Log> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create('in', { partitions: 2 });
  return log;
}

function start(log: Log, settings: Partial<RunSettings>, of: Program = program()): Promise<Run> {
  return startRun({
    ...{ program: of, log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, ...settings },
  });
}

async function running(settings: Partial<RunSettings>, work: (log: Log) => Promise<void>): Promise<readonly string[]> {
  const log = await openLog();
  const run = await start(log, settings);
  await work(log);
  await run.drain();
  const rows = await windowsOf(log);
  await log.close();
  return rows;
}

async function until(log: Log, windows: number): Promise<void> {
  while ((await windowsOf(log)).length < windows) await systemClock.sleep(2);
}

test('a partition that stays silent holds nothing back once it is idle, and no window is lost', {
  timeout: 240_000,
}, async () => {
  const rows = await running({ idleMs: 60 }, async (log) => {
    await write(log, 0, [1, 2, 11, 25]);
    await until(log, 2);
    // it speaks again, within what is still open, and is idle again
    await write(log, 1, [26, 31]);
    await until(log, 3);
  });
  assert.deepEqual(rows, ['0: 2', '10: 1', '20: 2']);
});

test('before it is idle it holds time, and what it brings then is not late', { timeout: 240_000 }, async () => {
  const rows = await running({ idleMs: 3_600_000 }, async (log) => {
    await write(log, 0, [1, 2, 11, 25]);
    await systemClock.sleep(100);
    assert.deepEqual(await windowsOf(log), []);
    await write(log, 1, [3, 12, 22]);
    await until(log, 2);
  });
  assert.deepEqual(rows, ['0: 3', '10: 2']);
});

/** The same log, but one partition of it is not given to whoever reads, until it is let go. */
function withholding(log: Log, name: string, partition: number) {
  const gate = { assigned: false, open: false };
  const isIt = (each: { readonly topic: string; readonly partition: number }) =>
    each.topic === name && each.partition === partition;
  const slow = holdingBack(log, {
    isHeld: isIt,
    gate: () => () => gate.open,
    onAssign(partitions) {
      if (partitions.some(isIt)) gate.assigned = true;
    },
  });
  return { slow, gate };
}

/** So much longer than a task must be idle do the tests wait for windows that must not close. */
const IDLE_MS = 30;
const BLOCKED_MS = 12 * IDLE_MS;

/** Those before have been read and committed, and what is withheld stays so for much longer than the time to be idle. */
async function untilBlocked(log: Log, group: string, name: string, position: number): Promise<void> {
  const taken = async () => (await log.committed(group, [{ topic: name, partition: 0 }]))[0]?.position;
  while ((await taken()) !== position) await systemClock.sleep(2);
  await systemClock.sleep(BLOCKED_MS);
}

test('a task that was just opened is not idle while its first fetch is on its way', { timeout: 240_000 }, async () => {
  const log = await openLog();
  const { slow, gate } = withholding(log, 'in', 1);
  await write(log, 0, [1, 2, 11, 25]);
  await write(log, 1, [3, 12, 22]);
  const run = await start(slow, { idleMs: IDLE_MS });
  await untilBlocked(log, 'idle', 'in', 4);
  assert.deepEqual(await windowsOf(log), []);
  gate.open = true;
  await until(log, 2);
  await run.drain();
  assert.deepEqual(await windowsOf(log), ['0: 3', '10: 2']);
  await log.close();
});

test('nor is one that comes to a process later', { timeout: 240_000 }, async () => {
  const log = await openLog();
  await write(log, 0, [1, 2, 11, 25]);
  await write(log, 1, [3, 12, 22]);
  const [first, second] = [withholding(log, 'in', 1), withholding(log, 'in', 1)];
  const one = await start(first.slow, { idleMs: IDLE_MS });
  const two = await start(second.slow, { idleMs: IDLE_MS });
  while (!(one.health().ready && two.health().ready)) await systemClock.sleep(2);
  const [owner, heir] = second.gate.assigned ? ([two, first] as const) : ([one, second] as const);
  heir.gate.assigned = false;
  await owner.drain();
  while (!heir.gate.assigned) await systemClock.sleep(2);
  await untilBlocked(log, 'idle', 'in', 4);
  assert.deepEqual(await windowsOf(log), []);
  heir.gate.open = true;
  await until(log, 2);
  await (owner === one ? two : one).drain();
  assert.deepEqual(await windowsOf(log), ['0: 3', '10: 2']);
  await log.close();
});

test('nor is a source that says itself when it is idle', { timeout: 240_000 }, async () => {
  const log = await openLog();
  const app = topology('sources');
  const sourceOf = (name: string): Stream<string, number, 1> => {
    const of = topic(name, { key: string(), value: int64(), partitions: 1 });
    return app.stream(of, { watermark: { maxOutOfOrderness: 0, idle: IDLE_MS } });
  };
  const both = sourceOf('swift').merge(sourceOf('slow'));
  both.groupByKey().window(tumbling(10)).count({ store: 'counts' }).suppress().toStream().to(output);
  for (const name of ['swift', 'slow']) await log.admin.create(name, { partitions: 1 });
  await write(log, 0, [1, 2, 11, 25], 'swift');
  await write(log, 0, [3, 12, 22], 'slow');
  const { slow, gate } = withholding(log, 'slow', 0);
  const run = await start(slow, { idleMs: 3_600_000 }, app.build());
  await untilBlocked(log, 'sources', 'swift', 0);
  assert.deepEqual(await windowsOf(log), []);
  gate.open = true;
  await until(log, 2);
  await run.drain();
  assert.deepEqual(await windowsOf(log), ['0: 3', '10: 2']);
  await log.close();
});

test('what a log has not told of a partition is not known: it is idle', { timeout: 240_000 }, async () => {
  const log = await openLog();
  const { slow, gate } = withholding(log, 'in', 1);
  const run = await start(slow, { idleMs: IDLE_MS });
  await write(log, 0, [1, 2, 11, 25]);
  await until(log, 2);
  await write(log, 1, [26]);
  await write(log, 0, [31]);
  await until(log, 3);
  gate.open = true;
  await run.drain();
  assert.deepEqual(await windowsOf(log), ['0: 2', '10: 1', '20: 1']);
  await log.close();
});
