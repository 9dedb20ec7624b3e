import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../connectors/connectors.ts';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { assertExact } from '../integration-tests/crash/exact.ts';
import { topology } from '../integration-tests/crash/topology.ts';
import { BatchBuilder, batchHeader, CODEC, type Compression } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology as topologyOf } from '../topology/topology.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

function start(log: Log, compression: Compression = 'none') {
  return startRun({
    program: topology.build(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, batchBytes: 4096, sliceRecords: 500, compression },
  });
}

test('a bounded run ends by itself with every result exactly once', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(7) });
  const run = await start(log);
  assert.equal((await run.finished).how, 'complete');
  await assertExact(log);
  await log.close();
});

async function runInPieces(log: Log, compression: Compression): Promise<void> {
  let rounds = 0;
  for (; ; rounds++) {
    const run = await start(log, compression);
    let ended = false;
    const finished = run.finished.finally(() => {
      ended = true;
    });
    while (!ended && run.progress().records < 5000) await systemClock.turn();
    if (!ended) await run.drain();
    const { how } = await finished;
    if (how === 'complete') break;
    assert.ok(rounds < 200, 'the run makes no progress');
  }
  assert.ok(rounds > 0, 'the run was never cut short');
  await assertExact(log);
}

/** The codecs of the batches of all topics. */
async function codecsOf(log: Log): Promise<ReadonlySet<number>> {
  const codecs = new Set<number>();
  for (const topic of await log.admin.list()) {
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([{ topic, partition: 0, position: (await log.admin.bounds(topic, 0)).start }]);
    for (const fetched of await reader.fetch(0)) {
      for (const start of fetched.starts) codecs.add(batchHeader(fetched.bytes, start).codec);
      fetched.release();
    }
    await reader.close();
  }
  return codecs;
}

for (const compression of ['none', 'lz4', 'zstd'] as const) {
  const title = `drained in the middle and started again it goes on where it stood, compressed with ${compression}`;
  test(title, { timeout: 240_000 }, async () => {
    const log = createMemoryLog({ clock: systemClock, random: seededRandom(7) });
    await runInPieces(log, compression);
    const codecs = await codecsOf(log);
    assert.equal(codecs.has(CODEC.lz4), compression === 'lz4');
    assert.equal(codecs.has(CODEC.zstd), compression === 'zstd');
    await log.close();
  });
}

test('a connector that ends does not end a run that reads a topic besides', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(7) });
  const numbers = topic('numbers', { key: string(), value: int64(), partitions: 1 });
  const sums = topic('sums', { key: string(), value: int64(), partitions: 1 });
  const app = topologyOf('both');
  app
    .read(generator({ count: 3, make: (n) => n }), {
      name: 'made',
      key: () => 'made',
      keySerde: string(),
      value: int64(),
      time: (n) => n,
    })
    .to(sums);
  app.stream(numbers).to(sums);
  await log.admin.create('numbers', { partitions: 1 });
  const run = await startRun({
    program: app.build(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5 },
  });
  while ((await log.admin.bounds('sums', 0)).stable < 3) await systemClock.sleep(5);
  const producer = await log.producer({});
  const builder = new BatchBuilder(new Step());
  const value = Buffer.alloc(8);
  builder.append(1, Buffer.from('k'), 0, 1, value, 0, 8);
  await producer.append('numbers', 0, builder.finish());
  while ((await log.admin.bounds('sums', 0)).stable < 5) await systemClock.sleep(5);
  await run.drain();
  assert.equal((await run.finished).how, 'drained');
  await log.close();
});
