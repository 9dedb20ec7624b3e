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
import { topic, topology, tumbling } from '../topology/topology.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, type RunSettings, startRun } from './runtime.ts';

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

async function write(log: Log, partition: number, times: readonly number[]): Promise<void> {
  const builder = new BatchBuilder(new Step());
  const bytes = Buffer.alloc(8);
  for (const at of times) builder.append(at, bytes, 0, 1, bytes, 0, 8);
  const producer = await log.producer({});
  await producer.append('in', partition, builder.finish());
  await producer.close();
}

async function windowsOf(log: Log): Promise<readonly string[]> {
  const rows: string[] = [];
  await readTopic(log, output, (value, key) => void rows.push(`${key!.start}: ${value}`));
  return rows;
}

async function running(settings: Partial<RunSettings>, work: (log: Log) => Promise<void>): Promise<readonly string[]> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create('in', { partitions: 2 });
  const run = await startRun({
    ...{ program: program(), log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, ...settings },
  });
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
  timeout: 20_000,
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

test('before it is idle it holds time, and what it brings then is not late', { timeout: 20_000 }, async () => {
  const rows = await running({ idleMs: 3_600_000 }, async (log) => {
    await write(log, 0, [1, 2, 11, 25]);
    await systemClock.sleep(100);
    assert.deepEqual(await windowsOf(log), []);
    await write(log, 1, [3, 12, 22]);
    await until(log, 2);
  });
  assert.deepEqual(rows, ['0: 3', '10: 2']);
});
