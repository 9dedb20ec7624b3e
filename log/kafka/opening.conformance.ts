import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { KAFKA_ERROR, startProxy } from '../../integration-tests/proxy/proxy.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch } from '../conformance/bench.conformance.ts';
import type { Log, ProducerOptions } from '../log.ts';
import type { KafkaOptions } from './options.ts';

/** A broker that lets go of a connection needs a moment, on a busy machine a longer one. */
const CLOSED_WITHIN_MS = 60_000;

/**
 * What drivers of a cluster are held to where a producer does not come about: nothing of it stays behind. Connections
 * are counted by a proxy, and the producer's id is what is refused, or answered late.
 */
export async function openingConformance(create: (options: KafkaOptions) => Promise<Log>): Promise<void> {
  let port = 0;
  const proxy = await startProxy(systemClock, [{ broker: 1, port: () => port }]);
  const address = `127.0.0.1:${proxy.ports[0]}`;
  const brokers = await testBrokers({ own: true, advertise: [address] });
  port = Number(brokers?.addresses.brokers.split(':')[1] ?? 0);
  after(async () => {
    await proxy.close();
    await brokers?.close();
  });
  if (brokers === undefined) return;

  const open = async () => {
    const log = await create({ brokers: address, patienceMs: 20_000, clock: systemClock, random: seededRandom(1) });
    const topic = `opening-${process.pid}-${systemClock.now()}`;
    await log.admin.create(topic, { partitions: 1 });
    return { log, topic };
  };
  /** Opens a producer and, where it has no transactions and may ask for its id only then, writes. */
  const opens = async (log: Log, topic: string, options: ProducerOptions) => {
    const producer = await log.producer(options);
    try {
      if (options.transactionalId === undefined) await producer.append(topic, 0, batch('k=v'));
      return producer;
    } catch (thrown) {
      await producer.close();
      throw thrown;
    }
  };
  const connections = async (expected: number) => {
    const late = systemClock.monotonic() + CLOSED_WITHIN_MS;
    while (proxy.clients > expected && systemClock.monotonic() < late) await systemClock.sleep(10);
    assert.ok(proxy.clients <= expected, `${proxy.clients} connections, where ${expected} should be`);
  };

  const kinds: readonly [string, ProducerOptions][] = [
    ['with transactions', { transactionalId: `opening-${process.pid}` }],
    ['without transactions', {}],
  ];
  for (const [kind, options] of kinds) {
    test(`a producer ${kind} that is being opened while its log is closed stays nowhere`, {
      timeout: 240_000,
    }, async (t) => {
      const { log, topic } = await open();
      t.after(() => proxy.clear());
      const held = proxy.add({ name: 'id', api: 'initProducerId', direction: 'answer', action: { do: 'hold' } });
      const opening = opens(log, topic, options).then(
        () => 'opened',
        (thrown: unknown) => thrown,
      );
      await held.whenFired();
      const closing = log.close();
      held.remove();
      const outcome = await opening;
      // a write on its way may come through; a producer that nobody would close may not
      const mayWrite = options.transactionalId === undefined && outcome === 'opened';
      assert.ok(mayWrite || isFlowError(outcome, 'log.closed'), String(outcome));
      await closing;
      await connections(0);
    });
  }

  test('a producer without transactions whose id is refused says so, leaves nothing, and may be tried again', {
    timeout: 240_000,
  }, async () => {
    const { log, topic } = await open();
    const bare = await opens(log, topic, {});
    await bare.close();
    await systemClock.sleep(100);
    const before = proxy.clients;
    const error = KAFKA_ERROR.clusterAuthorizationFailed;
    const refusal = { api: 'initProducerId', direction: 'request', action: { do: 'fail', error } } as const;
    for (let tries = 0; tries < 3; tries++) {
      proxy.add({ ...refusal, name: `refused ${tries}` });
      const refused = opens(log, topic, {});
      await assert.rejects(refused, (thrown) => isFlowError(thrown, 'kafka.rights'));
      await connections(before);
    }
    proxy.clear();
    await (await opens(log, topic, {})).close();
    await connections(before);
    await log.close();
    await connections(0);
  });
}
