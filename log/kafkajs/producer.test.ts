import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { refuses } from '../conformance/bench.conformance.ts';
import { createKafkaJsLog } from './kafkajs.ts';

const brokers = await testBrokers();

if (brokers !== undefined) {
  test('a transactional producer that cannot be opened leaves no connection open', { timeout: 240_000 }, async (t) => {
    const log = await createKafkaJsLog({
      ...{ brokers: brokers.addresses.brokers, clock: systemClock, random: seededRandom(1) },
    });
    t.after(() => log.close());
    const connections = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const before = connections();
    // longer than brokers allow
    const options = { transactionalId: `long-${process.pid}-${systemClock.now()}`, transactionTimeoutMs: 86_400_000 };
    await refuses('kafka.refused', log.producer(options));
    while (connections() > before) await systemClock.sleep(10);
  });
}
