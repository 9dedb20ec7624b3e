import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Engine } from '../../cli/wire.ts';
import { run } from '../../cli/wire.ts';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { createConfluentLog } from '../../log/confluent/confluent.ts';
import { createKafkaJsLog } from '../../log/kafkajs/kafkajs.ts';
import type { Log } from '../../log/log.ts';
import type { RunSettings } from '../../runtime/runtime.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { testBrokers } from '../support/brokers.ts';
import { confluentLibrary } from '../support/confluent.ts';
import { readTopic } from '../support/read-topic.ts';

/** A topology with a filter and a count on the drivers of other clients. */
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-clients-'));
after(() => rmSync(folder, { recursive: true, force: true }));
process.env['CLIENTS_RUN'] = `clients-${process.pid}-${systemClock.now()}`;
const { COUNT, jobs } = await import('./thirds.ts');

const libraryFrom = await confluentLibrary();
const brokers = await testBrokers();

function engineOver(log: Log, name: string): Engine {
  const state = createStateBackend({ onUnavailable: () => undefined });
  const close = async () => {
    await state.close();
    await log.close();
  };
  return { log, state, telemetry: silentTelemetry(), clock: systemClock, stateFolder: join(folder, name), close };
}

if (brokers !== undefined) {
  const options = { brokers: brokers.addresses.brokers, clock: systemClock, random: seededRandom(systemClock.now()) };
  after(() => brokers.close());

  test('kafkajs refuses to run exactly-once, with the reason and what to choose', async () => {
    const engine = engineOver(await createKafkaJsLog(options), 'kafkajs');
    await assert.rejects(run(jobs.kafkajs.topology, { engine }), (thrown: Error) => {
      return isFlowError(thrown, 'log.unsupported') && /kafkajs.*does not fence.*at-least-once/s.test(thrown.message);
    });
    await engine.close();
  });

  test('kafkajs runs it at-least-once, on two threads under one member', { timeout: 600_000 }, async () => {
    await runJob(await createKafkaJsLog(options), 'kafkajs', 'at-least-once');
  });

  if (libraryFrom !== undefined) {
    test('confluent runs it exactly-once, on two threads under one member', { timeout: 600_000 }, async () => {
      await runJob(await createConfluentLog({ ...options, libraryFrom }), 'confluent', 'exactly-once');
    });
  }
}

async function runJob(log: Log, client: 'kafkajs' | 'confluent', guarantee: RunSettings['guarantee']): Promise<void> {
  const engine = engineOver(log, client);
  try {
    const module = { url: new URL('./thirds.ts', import.meta.url).href, name: client };
    const settings = { until: 'end', workers: 2, guarantee } as const;
    const running = await run(jobs[client].topology, { engine, module, settings });
    await running.finished;
    await assertThirds(engine.log, client);
  } finally {
    await engine.close();
  }
}

/** Every third number once, since nothing failed, and each key's count in the end. */
async function assertThirds(log: Log, client: 'kafkajs' | 'confluent'): Promise<void> {
  const { counts, thirds } = jobs[client];
  const kept = (await readTopic(log, thirds)).map(({ value }) => value);
  assert.deepEqual(
    kept.sort((a, b) => a - b),
    Array.from({ length: COUNT / 3 }, (_, i) => i * 3),
  );
  const last = new Map((await readTopic(log, counts)).map(({ key, value }) => [key, value]));
  assert.equal(last.size, 20);
  for (const [key, value] of last) assert.equal(value, COUNT / 3 / 20, key);
}
