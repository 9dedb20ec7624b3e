import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { createKafkaLog } from '../log/kafka/kafka.ts';
import { openRegistry } from '../registry/registry.ts';
import { registryConformance } from '../schemas/registry/registry.conformance.ts';
import { testBrokers } from './support/brokers.ts';

const brokers = await testBrokers();

/** The embedded registry on a cluster, where commits show a little later than they are answered. */
if (brokers !== undefined) {
  after(() => brokers.close());
  const topic = `schemas-${process.pid}`;
  const random = seededRandom(1);
  const open = () => createKafkaLog({ brokers: brokers.addresses.brokers, clock: systemClock, random });

  registryConformance('embedded on Kafka', async () => {
    const log = await open();
    const host = openRegistry({ log, clock: systemClock, random, topic });
    return {
      client: () => host.client(),
      rest: (request) => host.answer({ body: undefined, ...request }),
      async close() {
        await host.close();
        await log.close();
      },
    };
  });

  test('two processes that serve one topic give each id once', { timeout: 600_000 }, async () => {
    const logs = [await open(), await open()];
    const hosts = logs.map((log) => openRegistry({ log, clock: systemClock, random, topic: `${topic}-two` }));
    const register = async (i: number) => {
      const name = `T${i % 6}`;
      const body = { schema: JSON.stringify({ type: 'fixed', name, size: 4 }) };
      const answer = await hosts[i % 2]!.answer({ method: 'POST', path: `/subjects/${name}/versions`, body });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return [name, (answer.body as { id: number }).id] as const;
    };
    const ids = new Map<string, Set<number>>();
    for (const [name, id] of await Promise.all(Array.from({ length: 12 }, (_, i) => register(i)))) {
      ids.set(name, (ids.get(name) ?? new Set()).add(id));
    }
    const given = [...ids.values()].flatMap((each) => [...each]);
    assert.deepEqual([...given].sort(), [1, 2, 3, 4, 5, 6]);
    for (const host of hosts) await host.close();
    for (const log of logs) await log.close();
  });
}
