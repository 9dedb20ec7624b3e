import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import type { ProcessContext } from '../operators/operators.ts';
import { int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology } from '../topology/topology.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const RECORDS = 2000;
const DRIFT = 50;
const KEYED = { key: string(), value: int64(), partitions: 2 } as const;
const fast = topic('fast', KEYED);
const slow = topic('slow', KEYED);

/** How far the records of one source that were taken are ahead of those of the other, at most. */
async function driftOf(aligned: boolean): Promise<number> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const producer = await log.producer({});
  for (const { name, partitions } of [fast, slow]) {
    await log.admin.create(name, { partitions });
    for (let partition = 0; partition < partitions; partition++) {
      const builder = new BatchBuilder(new Step());
      const bytes = Buffer.alloc(8);
      for (let n = 0; n < RECORDS; n++) builder.append(n, bytes, 0, 1, bytes, 0, 8);
      await producer.append(name, partition, builder.finish());
    }
  }
  await producer.close();
  const align = aligned ? { align: { group: 'both', maxDrift: DRIFT } } : {};
  const app = topology('aligned');
  const latest = { fast: 0, slow: 0 };
  let drift = 0;
  for (const source of [fast, slow]) {
    const name = source.name as 'fast' | 'slow';
    app
      .stream(source, { ...align })
      .process({
        name,
        supplier: () => ({
          process(_value, _key, context: ProcessContext<string, number>) {
            latest[name] = Math.max(latest[name], context.timestamp);
            drift = Math.max(drift, Math.abs(latest.fast - latest.slow));
          },
        }),
      })
      .to(topic(`${source.name}-seen`, { key: string(), value: int64(), partitions: 2 }));
  }
  const run = await startRun({
    ...{ program: app.build(), log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, until: 'end', commitIntervalMs: 5 },
  });
  assert.equal((await run.finished).how, 'complete');
  await log.close();
  return drift;
}

test('aligned sources stay together, whatever the sizes of slices', async () => {
  const drift = await driftOf(true);
  assert.ok(drift <= DRIFT + 1, `${drift} ms apart`);
  assert.ok((await driftOf(false)) > DRIFT * 10, 'without alignment they do not');
});

test('a bounded run of aligned sources ends, though one of them feeds what the other is merged with', {
  timeout: 30_000,
}, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const one = { key: string(), value: int64(), partitions: 1 } as const;
  const [ahead, near, between, merged] = ['ahead', 'near', 'between', 'merged'].map((name) => topic(name, one));
  const producer = await log.producer({});
  for (const [{ name }, times] of [
    [ahead!, [0, 1_000_000]],
    [near!, [0, 1, 2]],
  ] as const) {
    await log.admin.create(name, { partitions: 1 });
    const builder = new BatchBuilder(new Step());
    const bytes = Buffer.alloc(8);
    for (const at of times) builder.append(at, bytes, 0, 1, bytes, 0, 8);
    await producer.append(name, 0, builder.finish());
  }
  await producer.close();
  const align = { align: { group: 'both', maxDrift: DRIFT } };
  const app = topology('fed');
  app
    .stream(ahead!, align)
    .filter(() => false)
    .to(between!);
  app.stream(near!, align).merge(app.stream(between!)).to(merged!);
  const run = await startRun({
    ...{ program: app.build(), log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, until: 'end', commitIntervalMs: 5 },
  });
  assert.equal((await run.finished).how, 'complete');
  assert.equal((await log.admin.bounds(merged!.name, 0)).end >= 3, true);
  await log.close();
});
