import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch, readTo } from '../conformance/bench.conformance.ts';
import type { Log, PartitionBounds } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { endpoints } from './endpoint.ts';
import { createKafkaLog } from './kafka.ts';
import { loadLibrary } from './library.ts';
import { openCluster } from './open-cluster.ts';

const PARTITIONS = 6;
const brokers = await testBrokers({ brokers: 3 });
after(() => brokers?.close());

/** Who leads each partition by now; waits while nobody does. */
async function leadersOf(cluster: Cluster, topic: string): Promise<readonly number[]> {
  for (;;) {
    cluster.stale({ topic });
    try {
      const all = Array.from({ length: PARTITIONS }, (_, partition) => cluster.leader(topic, partition));
      return (await Promise.all(all)).map(({ broker }) => broker);
    } catch {
      await systemClock.sleep(100);
    }
  }
}

/** Bounds of a partition without an open transaction: the brokers write down how one has ended a moment later. */
async function settledBounds(log: Log, topic: string, partition: number): Promise<PartitionBounds> {
  for (;;) {
    const bounds = await log.admin.bounds(topic, partition);
    if (bounds.stable === bounds.end) return bounds;
    await systemClock.sleep(20);
  }
}

/** Every value of every partition that a committed reader sees, in order. */
async function valuesOf(log: Log, topic: string): Promise<readonly (readonly number[])[]> {
  const partitions: number[][] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { start, stable } = await settledBounds(log, topic, partition);
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([{ topic, partition, position: start }]);
    partitions.push((await readTo(reader, start, stable)).map(({ value }) => Number(value)));
    await reader.close();
  }
  return partitions;
}

if (brokers !== undefined) {
  const place = { brokers: brokers.addresses.brokers, patienceMs: 60_000 };
  const tools = { clock: systemClock, random: seededRandom(3) };
  const log = await createKafkaLog({ ...place, ...tools });
  const cluster = await openCluster({
    ...{ bootstrap: endpoints(place.brokers), clientId: 'watcher', security: { tls: undefined, sasl: undefined } },
    ...{ patienceMs: 60_000, replication: 3, library: await loadLibrary(), ...tools },
  });
  after(async () => {
    await cluster.close();
    await log.close();
  });

  /** Takes a broker away while `work` goes on, until others lead what it led, and brings it back. */
  async function without(
    broker: number,
    topic: string,
    how: 'kill' | 'stop',
    work: (done: () => boolean) => Promise<void>,
  ) {
    const led = (await leadersOf(cluster, topic)).filter((leader) => leader === broker).length;
    assert.ok(led > 0, `broker ${broker} leads something`);
    let moved = false;
    const working = work(() => moved);
    await brokers![how](broker);
    while ((await leadersOf(cluster, topic)).includes(broker)) await systemClock.sleep(50);
    moved = true;
    await working;
    await brokers!.start(broker);
  }

  test('appends go on under new leaders, each once and in order, whether a broker is killed or stopped', {
    timeout: 240_000,
  }, async () => {
    await log.admin.create('plain', { partitions: PARTITIONS });
    const producer = await log.producer({});
    let count = 0;
    const append = async (done: () => boolean) => {
      while (!done()) {
        const number = count++;
        const all = Array.from({ length: PARTITIONS }, (_, p) => producer.append('plain', p, batch(`k=${number}`)));
        if (number % 20 === 19) await Promise.all(all);
        else for (const each of all) each.catch(() => undefined);
        await systemClock.sleep(2);
      }
      const last = count++;
      await Promise.all(Array.from({ length: PARTITIONS }, (_, p) => producer.append('plain', p, batch(`k=${last}`))));
    };
    await without(1, 'plain', 'kill', append);
    await without(2, 'plain', 'stop', append);
    const expected = Array.from({ length: count }, (_, number) => number);
    for (const values of await valuesOf(log, 'plain')) assert.deepEqual(values, expected);
    assert.equal(log.connection!.outage, undefined);
    await producer.close();
  });

  test('transactions go on under new leaders and coordinators; what fails on the way is done again, and shows once', {
    timeout: 240_000,
  }, async () => {
    await log.admin.create('transactional', { partitions: PARTITIONS });
    let producer = await log.producer({ transactionalId: 'mover' });
    let committed = 0;
    const write = async (number: number) => {
      producer.begin();
      const all = Array.from({ length: PARTITIONS }, (_, p) =>
        producer.append('transactional', p, batch(`k=${number}`)),
      );
      await Promise.all(all);
      await producer.commit();
    };
    const work = async (done: () => boolean) => {
      for (let further = 3; further > 0; ) {
        try {
          await write(committed);
          committed++;
          if (done()) further--;
        } catch {
          // whether it was committed only what is there tells
          producer = await log.producer({ transactionalId: 'mover' });
          committed = (await valuesOf(log, 'transactional'))[0]!.length;
        }
      }
    };
    for (const [broker, how] of [
      [3, 'kill'],
      [1, 'stop'],
    ] as const) {
      const leaders = await leadersOf(cluster, 'transactional');
      await without(leaders.includes(broker) ? broker : leaders[0]!, 'transactional', how, work);
    }
    assert.ok(committed >= 6);
    const expected = Array.from({ length: committed }, (_, number) => number);
    for (const values of await valuesOf(log, 'transactional')) assert.deepEqual(values, expected);
    await producer.close();
  });
}
