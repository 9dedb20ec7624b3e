import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { BatchBuilder } from '../log/batch.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { during } from './let-pass.testing.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const WINDOW_MS = 10_000;
const KEYS = 20;
const EVERY_MS = 1000;
const CHANGELOG = 'nf.windows.sums.changelog';

const events = topic('events', { key: string(), value: int64(), partitions: 1 });
const counts = topic('counts', { key: windowed(string(), WINDOW_MS), value: int64(), partitions: 1 });
const app = topology('windows');
app
  .stream(events)
  .groupByKey()
  .window(tumbling({ ms: WINDOW_MS }, { grace: { ms: 0 } }))
  .count({ store: 'sums' })
  .toStream()
  .to(counts);

test('hard-places 8: the changelog of windows is trimmed to the first row of the oldest that is open, and restores', {
  timeout: 240_000,
}, async () => {
  const clock = new VirtualClock(1_000_000);
  const log = createMemoryLog({ clock, random: seededRandom(5) });
  await log.admin.create('events', { partitions: 1 });
  const producer = await log.producer({});
  const start = () =>
    startRun({
      program: app.build(),
      log,
      state: createStateBackend({}),
      directory: undefined,
      clock,
      telemetry: silentTelemetry(),
      settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 100 },
    });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 50) {
      for (let turn = 0; turn < 4; turn++) await systemClock.turn();
      clock.advance(50);
    }
  };
  const until = async (holds: () => boolean) => {
    while (!holds()) await pass(50);
  };
  let fed = 0;
  /** A record of each key every second, at the time that it is. */
  const feed = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      const builder = new BatchBuilder(new Step());
      for (let n = 0; n < KEYS; n++) {
        const key = Buffer.from(`k${n}`);
        builder.append(fed * EVERY_MS, key, 0, key.length, Buffer.alloc(8), 0, 8);
      }
      await producer.append('events', 0, builder.finish());
      fed++;
      await pass(EVERY_MS);
    }
  };
  const bounds = () => log.admin.bounds(CHANGELOG, 0);
  for (let life = 0; life < 3; life++) {
    const run = await during(start(), until);
    const before = await bounds();
    await feed(150);
    const { start: from, end } = await bounds();
    assert.ok(from > before.start, `it begins at ${from} of ${end}`);
    // what is kept are the windows of the last minutes: a round comes every 30 s, and says what held in the one before
    assert.ok(end - from < (end - before.end) * 0.8, `${end - from} of ${end} positions are kept`);
    await during(run.drain(), until);
  }
  const last = new Map<string, bigint>();
  for (const { key, value } of await readTopic(log, counts)) last.set(`${key.key} ${key.start}`, BigInt(value));
  assert.equal(last.size, (KEYS * fed * EVERY_MS) / WINDOW_MS);
  for (const [window, count] of last) assert.equal(count, BigInt(WINDOW_MS / EVERY_MS), window);
  await producer.close();
  await log.close();
});
