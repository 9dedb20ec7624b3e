import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { readTopic } from '../../integration-tests/support/read-topic.ts';
import { string } from '../../schemas/schemas.ts';
import { topic as texts } from '../../topology/topology.ts';
import { Members } from '../clients/members.ts';
import { batch } from '../conformance/bench.conformance.ts';
import { Appender } from './appender.ts';
import { endpoints } from './endpoint.ts';
import { createKafkaLog } from './kafka.ts';
import { loadLibrary } from './library.ts';
import { openCluster } from './open-cluster.ts';
import { PRODUCE_PLAIN_VERSION } from './produce-codec.ts';
import { Transaction } from './transaction.ts';

/** Brokers that take records of a transaction of which nobody told its coordinator, as older ones all do. */
const set = { 'transaction.partition.verification.enable': 'false' };

for (const [protocol, version] of [
  ['repaired', 2],
  ['old', 0],
] as const) {
  const brokers = await testBrokers({ own: true, features: [`transaction.version=${version}`], set });
  if (brokers === undefined) break;
  after(() => brokers.close());
  const address = brokers.addresses.brokers;
  const parts = { clock: systemClock, random: seededRandom(1) };

  /** Leaves a transaction open in the partitions 0 and 2, and a coordinator that does not know of it. */
  async function leaveOpen(transactionalId: string, topic: string): Promise<void> {
    const cluster = await openCluster({
      ...{ bootstrap: endpoints(address), clientId: 'odd', patienceMs: 60_000, replication: undefined },
      ...{ security: { tls: undefined, sasl: undefined }, library: await loadLibrary(), ...parts },
    });
    const transaction = await Transaction.open({ cluster, members: new Members(), transactionalId, timeoutMs: 10_000 });
    const appender = new Appender(
      {
        ...{ cluster, transactionalId, version: PRODUCE_PLAIN_VERSION, role: 'odd', timeoutMs: 30_000 },
        limitOf: async () => undefined,
        onGivenUp: (failure) => assert.fail(failure),
      },
      transaction.stamp,
    );
    await Promise.all([appender.append(topic, 0, batch('left')), appender.append(topic, 2, batch('left'))]);
    await cluster.close();
  }

  test(`${protocol} protocol: what a transaction has left open, unknown to its coordinator, is aborted before the next`, {
    timeout: 240_000,
  }, async () => {
    const log = await createKafkaLog({ brokers: address, ...parts });
    const topic = `hanging-${protocol}`;
    await log.admin.create(topic, { partitions: 3 });
    await log.admin.create('other', { partitions: 1 });
    await leaveOpen('left', topic);
    assert.deepEqual(await log.admin.bounds(topic, 2), { start: 0, stable: 0, end: 1 });

    const plain = await log.producer({ transactionalId: 'left' });
    assert.equal((await log.admin.bounds(topic, 2)).stable, 0, 'a new producer id alone does not end it');
    await plain.close();

    const producer = await log.producer({
      transactionalId: 'left',
      writes: { topics: ['other', topic, 'unknown'], group: 'g' },
    });
    for (const partition of [0, 2]) {
      const bounds = () => log.admin.bounds(topic, partition);
      // markers follow the answer
      while ((await bounds()).stable === 0) await systemClock.sleep(5);
      assert.deepEqual(await bounds(), { start: 0, stable: 2, end: 2 }, 'a marker stands behind what was left');
    }
    producer.begin();
    await producer.append(topic, 2, batch('next'));
    await producer.commit();
    const found = await readTopic(log, texts(topic, { key: string(), value: string(), partitions: 3 }));
    assert.deepEqual(
      found.map(({ value }) => value),
      ['next'],
      'what was left is not committed with it',
    );
    await producer.close();
    await log.close();
  });
}
