import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch } from '../conformance/bench.conformance.ts';
import { createKafkaLog } from './kafka.ts';
import { loadLibrary } from './library.ts';

/** Brokers let through what is within this of the last eleven seconds. */
const BYTES_PER_SECOND = 100_000;
const BATCH = 300_000;
const BATCHES = 6;
const MOST_AGAIN = 3;

/** What a client of this name may write in a second. */
async function limit(place: string, clientId: string): Promise<void> {
  const library = await loadLibrary();
  const connection = new library.Connection('quota');
  const [host, port] = place.split(':') as [string, string];
  await connection.connect(host, Number(port));
  const entities = [{ entityType: 'client-id', entityName: clientId }] as const;
  const ops = [{ key: 'producer_byte_rate', value: BYTES_PER_SECOND, remove: false }] as const;
  await library.alterClientQuotasV1.api.async(connection, [{ entities: [...entities], ops: [...ops] }], false);
  await connection.close();
}

const brokers = await testBrokers();
if (brokers !== undefined) {
  test('a client over its quota is held back: nothing fails, and it does not ask again and again', {
    timeout: 240_000,
  }, async () => {
    const clientId = `quota-${process.pid}-${systemClock.now()}`;
    await limit(brokers.addresses.brokers, clientId);
    const place = { brokers: brokers.addresses.brokers, clientId };
    const log = await createKafkaLog({ ...place, clock: systemClock, random: seededRandom(1) });
    try {
      await log.admin.create(clientId, { partitions: 1 });
      const producer = await log.producer({ transactionalId: clientId });
      const began = systemClock.monotonic();
      let retries = 0;
      for (let i = 0; i < BATCHES; i++) {
        producer.begin();
        await producer.append(clientId, 0, batch(`k=${'x'.repeat(BATCH)}`));
        await producer.commit();
        // the first request may meet a topic that has just been made
        if (i === 0) retries = log.connection!.retries;
      }
      const writtenMs = systemClock.monotonic() - began;
      assert.ok(writtenMs > 2000, `it was held back for ${writtenMs} ms only`);
      // a request may have waited for longer than requests do
      const again = log.connection!.retries - retries;
      assert.ok(again <= MOST_AGAIN, `${again} times asked again`);
      assert.equal(
        (await log.admin.bounds(clientId, 0)).end,
        2 * BATCHES,
        'each batch once, and the end of each transaction',
      );
      await producer.close();
    } finally {
      await log.close();
    }
  });
}
