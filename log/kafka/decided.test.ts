import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch, readTo } from '../conformance/bench.conformance.ts';
import { createKafkaLog } from './kafka.ts';

const PARTITIONS = 100;
const brokers = await testBrokers({ own: true });
after(() => brokers?.close());

if (brokers !== undefined) {
  // whether the broker ends before the markers is chance, about one to one; the commit must stand either way
  test('a commit that was answered stands in every partition, though all brokers end before its markers are written', {
    timeout: 240_000,
  }, async () => {
    const log = await createKafkaLog({
      ...{ brokers: brokers.addresses.brokers, clock: systemClock, random: seededRandom(1) },
      patienceMs: 60_000,
    });
    await log.admin.create('orders', { partitions: PARTITIONS });
    const options = { transactionalId: 'late', writes: { topics: ['orders'], group: 'g' } };
    const producer = await log.producer(options);
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    producer.begin();
    await Promise.all(partitions.map((partition) => producer.append('orders', partition, batch('a=1'))));
    await producer.commit();
    await brokers.kill(1);
    await brokers.start(1);
    const next = await log.producer(options);
    const missing: number[] = [];
    // where a marker never comes, for as long as that lasts
    const late = systemClock.monotonic() + 60_000;
    for (const partition of partitions) {
      const bounds = () => log.admin.bounds('orders', partition);
      const isDecided = async () => (await bounds()).stable === (await bounds()).end;
      while (!(await isDecided()) && systemClock.monotonic() < late) await systemClock.sleep(5);
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic: 'orders', partition, position: 0 }]);
      const found = await readTo(reader, 0, (await bounds()).stable);
      if (found.length !== 1) missing.push(partition);
      await reader.close();
    }
    await next.close();
    await producer.close();
    await log.close();
    assert.deepEqual(missing, []);
  });
}
