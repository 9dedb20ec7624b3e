import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { type Program, topic, topology } from '../topology/topology.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const PARTITIONS = 2;
const RECORDS = 40;
const words = topic('words', { key: string(), value: string(), partitions: PARTITIONS });
const seen = topic('seen', { key: string(), value: int64(), partitions: PARTITIONS });

test('a stage reads what it writes, over several tasks, and loses nothing when it is stopped and started', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await fill(log);
  const program = counting();
  assert.equal(program.plan.stages.length, 1);
  for (const until of [RECORDS, 4 * RECORDS]) {
    const run = await startRun({
      ...{ program, log, directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
      state: createStateBackend({}),
      settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, until: 'drained' },
    });
    while (run.progress().records < until && (await largest(log)) < (2 * RECORDS) / 4) await systemClock.turn();
    await run.drain();
  }
  assert.equal(await largest(log), (2 * RECORDS) / 4);
  await log.close();
});

test('a bounded run of a stage that reads what it writes ends', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await fill(log);
  const run = await startRun({
    ...{ program: counting(), log, directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    state: createStateBackend({}),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, until: 'end' },
  });
  assert.equal((await run.finished).how, 'complete');
  assert.equal(await largest(log), (2 * RECORDS) / 4);
  await log.close();
});

async function fill(log: Log): Promise<void> {
  await log.admin.create('words', { partitions: PARTITIONS });
  const producer = await log.producer({});
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const builder = new BatchBuilder(new Step());
    for (let n = 0; n < RECORDS; n++) {
      const key = Buffer.from(`k${n}`);
      const value = Buffer.from(`w${n % 4}`);
      builder.append(n, key, 0, key.length, value, 0, value.length);
    }
    await producer.append('words', partition, builder.finish());
  }
  await producer.close();
}

/** Words joined with their own counts. */
function counting(): Program {
  const app = topology('own-writing');
  const stream = app.stream(words);
  const byWord = { name: 'by-word', key: string(), partitions: PARTITIONS } as const;
  const counts = stream.groupBy((word) => word, byWord).count({ store: 'counts' });
  counts.toStream().to(seen);
  stream.leftJoinTable(counts, { merge: (word) => word });
  return app.build();
}

/** The largest count of any word so far. */
async function largest(log: Log): Promise<number> {
  let most = 0;
  if ((await log.admin.describe('seen')) === undefined) return most;
  await readTopic(log, seen, (value) => {
    most = Math.max(most, value!);
  });
  return most;
}
