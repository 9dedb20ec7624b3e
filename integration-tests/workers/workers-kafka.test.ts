import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import { assertExact } from '../crash/exact.ts';
import { reportOf, runChild } from '../crash/run-child.ts';
import { testBrokers } from '../support/brokers.ts';

const cluster = await testBrokers({ own: true });
if (cluster !== undefined) {
  test('worker threads with connections of their own, killed on the way, give exact results', {
    timeout: 600_000,
  }, async () => {
    const { brokers } = cluster.addresses;
    const directory = mkdtempSync(join(tmpdir(), 'nodeflow-workers-kafka-'));
    try {
      const killed = await runChild(directory, { workers: 2, brokers, failpoint: 'commit.ending:2:kill' });
      assert.equal(killed.signal, 'SIGKILL');
      const ended = await runChild(directory, { workers: 2, brokers });
      assert.equal(ended.code, 0, ended.errors);
      const { how, recordsByWorker } = reportOf(ended);
      assert.equal(how, 'complete');
      assert.equal(recordsByWorker.length, 2);
      const log = await createKafkaLog({ brokers, clock: systemClock, random: seededRandom(1) });
      await assertExact(log);
      await log.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
      await cluster.close();
    }
  });
}
