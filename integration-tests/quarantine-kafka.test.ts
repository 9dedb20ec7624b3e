import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { createKafkaLog } from '../log/kafka/kafka.ts';
import { Counting, PARTITIONS, poisonedLog } from '../runtime/poisoned.fixture.ts';
import { testBrokers } from './support/brokers.ts';

const brokers = await testBrokers();
after(() => brokers?.close());

if (brokers !== undefined) {
  test('on a real broker, exactly once: a task whose appends are refused commits alone, and the others go on', {
    timeout: 120_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nodeflow-quarantine-'));
    const place = { clock: systemClock, random: seededRandom(1), brokers: brokers.addresses.brokers };
    const poisoned = poisonedLog(await createKafkaLog(place));
    const name = `poison-${process.pid}`;
    const rest = async () => void (await systemClock.sleep(5));
    const counting = new Counting(name, poisoned.log, systemClock, rest, directory);
    const round = async () => {
      for (let partition = 0; partition < PARTITIONS; partition++) await counting.write(partition);
      await systemClock.sleep(30);
    };
    try {
      await poisoned.log.admin.create(counting.input, { partitions: PARTITIONS });
      const run = await counting.start({ commitIntervalMs: 50 });
      await round();
      poisoned.refused.add(counting.changelog(1));
      await counting.until('it is set apart', () => run.progress().quarantined.length > 0, round);
      assert.deepEqual(run.progress().quarantined, [counting.task(1)]);
      assert.equal(counting.metric('nodeflow_task_quarantined', 1), 1);
      const fired = poisoned.fired;
      for (let i = 0; i < 30; i++) await round();
      await counting.untilCounted(0, 2);
      await counting.assertCounted(1);
      assert.ok(poisoned.fired > fired, 'it fails no more');
      assert.ok(((await counting.counted()).get('k1') ?? []).length <= 1);

      poisoned.refused.clear();
      await counting.untilCounted(0, 1, 2);
      await counting.assertCounted();
      assert.deepEqual(run.progress().quarantined, [counting.task(1)], 'it stays alone for a while');
      await run.drain();

      // as by a process that was killed in an epoch of its own
      const slot = JSON.parse(readFileSync(join(directory, name, '0', 'slot.json'), 'utf8')) as { id: string };
      const left = await poisoned.log.producer({ transactionalId: `${name}-${slot.id}-0-quarantine` });
      left.begin();
      await left.append(counting.input, 1, counting.batch(1));
      const again = await counting.start();
      await assert.rejects(left.commit(), (thrown: unknown) => isFlowError(thrown, 'log.fenced'));
      await round();
      await counting.untilCounted(0, 1, 2);
      await again.drain();
      await counting.assertCounted();
    } finally {
      await poisoned.log.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
