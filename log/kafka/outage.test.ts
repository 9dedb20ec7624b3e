import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { type ErrorCode, isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch, readTo } from '../conformance/bench.conformance.ts';
import { createKafkaLog } from './kafka.ts';
import type { KafkaOptions } from './options.ts';

const brokers = await testBrokers({ own: true });
after(() => brokers?.close());

const open = (options: Omit<KafkaOptions, 'clock' | 'random'>) =>
  createKafkaLog({ ...options, clock: systemClock, random: seededRandom(1) });

async function fails(code: ErrorCode, work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (thrown: Error) => isFlowError(thrown, code) && message.test(thrown.message));
}

test('addresses at which nobody listens are told, each with the reason', async () => {
  const nobody = open({ brokers: '127.0.0.1:1,no-such-host.invalid:9092', patienceMs: 3000 });
  await fails('kafka.unreachable', nobody, /127\.0\.0\.1:1 cannot be reached.*REFUSED.*no-such-host\.invalid/);
  await fails('config.invalid', open({ brokers: 'kafka://here' }), /kafka:\/\/here/);
});

if (brokers !== undefined) {
  const address = brokers.addresses.brokers;

  test('one address that answers is enough', async () => {
    const log = await open({ brokers: `127.0.0.1:1,${address}` });
    assert.ok(Array.isArray(await log.admin.list()));
    await log.close();
  });

  test('more copies than brokers are refused, by topic and number', async () => {
    const log = await open({ brokers: address, replication: 3 });
    await fails('kafka.replication', log.admin.create('copied', { partitions: 1 }), /topic copied.*3 .*add brokers/);
    await log.close();
  });

  test('a crash of the only broker is waited out: fetches answer nothing, requests wait, nothing is lost', async () => {
    const log = await open({ brokers: address });
    await log.admin.create('orders', { partitions: 2 });
    const producer = await log.producer({});
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([0, 1].map((partition) => ({ topic: 'orders', partition, position: 0 })));
    await producer.append('orders', 0, batch('a=1'));
    await producer.append('orders', 1, batch('b=1'));
    for (let seen = 0; seen < 2; ) for (const fetched of await reader.fetch(1000)) seen += fetched.starts.length;
    const { connection } = log;
    const outage = () => connection?.outage;
    assert.equal(outage(), undefined);
    const killedAt = systemClock.now();
    await brokers.kill(1);
    for (let i = 0; i < 5; i++) assert.deepEqual(await reader.fetch(200), []);
    while (outage() === undefined) assert.deepEqual(await reader.fetch(200), []);
    const { since } = outage()!;
    // what was asked just before has no answer either
    assert.ok(since > killedAt - 10_000 && since <= systemClock.now(), 'since about when it was killed');
    assert.match(outage()!.reason, /cannot be reached/);
    assert.ok(connection!.retries > 0);
    const appended = producer.append('orders', 0, batch('a=2'));
    const bounds = log.admin.bounds('orders', 1);
    await brokers.start(1);
    assert.equal(await appended, 1);
    assert.deepEqual(await bounds, { start: 0, stable: 1, end: 1 });
    assert.equal(outage(), undefined);
    const rest = await readTo(reader, 1, 2);
    assert.deepEqual(
      rest.map(({ value }) => value),
      ['2'],
    );
    await log.close();
  });

  test('patience ends with what was asked; a closed log asks nobody', async () => {
    const log = await open({ brokers: address, patienceMs: 4000 });
    await brokers.kill(1);
    try {
      const began = systemClock.monotonic();
      await fails('log.timeout', log.admin.bounds('orders', 0), /bounds of orders\/0/);
      assert.ok(systemClock.monotonic() - began < 60_000);
      await log.close();
      await fails('log.closed', log.admin.bounds('orders', 0), /closed/);
    } finally {
      await brokers.start(1);
    }
  });
}
