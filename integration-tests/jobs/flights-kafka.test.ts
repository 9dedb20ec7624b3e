import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { airportHours } from '../../examples/flights/topology.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import type { Log } from '../../log/log.ts';
import { testBrokers } from '../support/brokers.ts';
import { assertEveryHour, type Ended, startFlights } from './flights-job.ts';
import { naiveFlights } from './naive-flights.ts';

/** The main job on real clusters: the same program, the same figures. */
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-flights-kafka-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const expected = naiveFlights();
const HALF_OF_THE_RESULTS = 212_000;

const openLog = (brokers: string) => createKafkaLog({ brokers, clock: systemClock, random: seededRandom(1) });

async function withLog(brokers: string, look: (log: Log) => Promise<void>): Promise<void> {
  const log = await openLog(brokers);
  try {
    await look(log);
  } finally {
    await log.close();
  }
}

/** Waits until the job has written so many results. */
async function awaitResults(log: Log, records: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    let written = 0;
    if ((await log.admin.describe(airportHours.name)) !== undefined) {
      for (let p = 0; p < airportHours.partitions; p++) written += (await log.admin.bounds(airportHours.name, p)).end;
    }
    if (written >= records) return;
    await systemClock.sleep(50, over);
  }
  assert.fail(`the job ended before it had written ${records} results`);
}

async function assertEnded({ code, out, err }: Ended): Promise<void> {
  assert.equal(code, 0, err);
  assert.deepEqual(out.trim().split('\n'), (await expected).lines);
}

const one = await testBrokers({ own: true });
if (one !== undefined) {
  test('one process on one broker gives the figures of the embedded run', { timeout: 600_000 }, async () => {
    const { brokers } = one.addresses;
    try {
      await assertEnded(await startFlights(join(folder, 'one'), { NODEFLOW_BROKERS: brokers }).ended);
      await withLog(brokers, async (log) => assertEveryHour(log, await expected));
    } finally {
      await one.close();
    }
  });

  test('three processes on three brokers lose one process and, for a while, one broker', {
    timeout: 600_000,
  }, async () => {
    const three = (await testBrokers({ brokers: 3 }))!;
    const { brokers } = three.addresses;
    const directory = join(folder, 'three');
    const over = new AbortController();
    try {
      const jobs = [0, 1, 2].map(() => startFlights(directory, { NODEFLOW_BROKERS: brokers }));
      const [victim, ...others] = jobs;
      const ended = others.map((job) => job.ended);
      for (const end of ended) end.then(() => over.abort());
      await withLog(brokers, (log) => awaitResults(log, HALF_OF_THE_RESULTS, over.signal));
      victim!.child.kill('SIGKILL');
      await three.kill(2);
      await three.start(2);
      assert.equal((await victim!.ended).signal, 'SIGKILL');
      for (const end of ended) await assertEnded(await end);
      await withLog(brokers, async (log) => assertEveryHour(log, await expected));
    } finally {
      await three.close();
    }
  });
}
