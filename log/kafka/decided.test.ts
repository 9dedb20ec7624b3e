import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch, readTo } from '../conformance/bench.conformance.ts';
import type { Log, LogProducer } from '../log.ts';
import { createKafkaLog } from './kafka.ts';

const PARTITIONS = 100;
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const append = (producer: LogProducer, topic: string, value: string) =>
  Promise.all(partitions.map((partition) => producer.append(topic, partition, batch(value))));

/** Partitions of a topic in which other records are committed than these. */
async function others(log: Log, topic: string, wanted: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  // where a marker never comes, for as long as that lasts
  const late = systemClock.monotonic() + 60_000;
  for (const partition of partitions) {
    const bounds = () => log.admin.bounds(topic, partition);
    const isDecided = async () => (await bounds()).stable === (await bounds()).end;
    while (!(await isDecided()) && systemClock.monotonic() < late) await systemClock.sleep(5);
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([{ topic, partition, position: 0 }]);
    const values = (await readTo(reader, 0, (await bounds()).stable)).map(({ value }) => value);
    if (values.join() !== wanted.join()) found.push(`${partition}: ${values}`);
    await reader.close();
  }
  return found;
}

for (const [protocol, version] of [
  ['repaired', 2],
  ['old', 0],
] as const) {
  const brokers = await testBrokers({ own: true, features: [`transaction.version=${version}`] });
  if (brokers === undefined) break;
  after(() => brokers.close());
  const open = () =>
    createKafkaLog({
      ...{ brokers: brokers.addresses.brokers, clock: systemClock, random: seededRandom(1) },
      patienceMs: 60_000,
    });

  // whether the broker ends before the markers is chance, about one to one; what was decided must stand either way
  test(`${protocol} protocol: a commit that was answered stands in every partition, though all brokers end before its markers are written`, {
    timeout: 240_000,
  }, async () => {
    const log = await open();
    await log.admin.create('orders', { partitions: PARTITIONS });
    const options = { transactionalId: 'late', writes: { topics: ['orders'], group: 'g' } };
    const producer = await log.producer(options);
    producer.begin();
    await append(producer, 'orders', 'a=1');
    await producer.commit();
    await brokers.kill(1);
    await brokers.start(1);
    const next = await log.producer(options);
    const missing = await others(log, 'orders', ['1']);
    await next.close();
    await producer.close();
    await log.close();
    assert.deepEqual(missing, []);
  });

  for (const [first, second] of [
    ['commit', 'abort'],
    ['abort', 'commit'],
  ] as const) {
    test(`${protocol} protocol: the same producer goes on with ${second}, and what it decided by ${first} stands`, {
      timeout: 240_000,
    }, async () => {
      const log = await open();
      const topic = `${first}-first`;
      await log.admin.create(topic, { partitions: PARTITIONS });
      const producer = await log.producer({ transactionalId: topic, writes: { topics: [topic], group: 'g' } });
      producer.begin();
      await append(producer, topic, `a=${first}`);
      await producer[first]();
      await brokers.kill(1);
      const started = brokers.start(1);
      producer.begin();
      await append(producer, topic, `a=${second}`);
      await producer[second]();
      await started;
      assert.deepEqual(await others(log, topic, ['commit']), []);
      await producer.close();
      await log.close();
    });
  }
}
