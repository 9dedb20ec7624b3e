import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { systemClock, VirtualClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { batch, refuses } from '../conformance/bench.conformance.ts';
import { logConformance } from '../log.conformance.ts';
import { createMemoryLog } from '../memory/memory.ts';
import { connectLog } from './client.ts';
import { serveLog } from './server.ts';

async function open() {
  const clock = new VirtualClock(1_700_000_000_000);
  const memory = createMemoryLog({ clock, random: seededRandom(1) });
  const { port1, port2 } = new MessageChannel();
  const server = serveLog(memory, port1);
  const log = await connectLog(port2);
  return {
    log,
    memory,
    server,
    port: port2,
    clock,
    advance: (ms: number) => clock.advance(ms),
    compact: async (topic: string) => memory.compact(topic),
    expire: async (topic: string) => memory.expire(topic),
    close: async () => {
      await log.close();
      await server.close();
      await memory.close();
    },
  };
}

logConformance('port', open);

test('capabilities are those of the log behind the port', async () => {
  const { log, memory, close } = await open();
  assert.deepEqual(log.capabilities, memory.capabilities);
  await close();
});

test('a batch from a builder is given away, any other is copied', async () => {
  const { log, close } = await open();
  await log.admin.create('orders', { partitions: 1 });
  const producer = await log.producer({});
  const lent = batch('a=1');
  const copied = Buffer.from(batch('b=2'));
  await producer.append('orders', 0, lent);
  await producer.append('orders', 0, copied);
  assert.equal(lent.length, 0);
  assert.ok(copied.length > 0);
  await close();
});

test('when one side goes, its transaction is aborted and its calls end; the log serves others', async () => {
  const { log, memory, port, close } = await open();
  const { port1, port2 } = new MessageChannel();
  const otherServer = serveLog(memory, port1);
  const other = await connectLog(port2);
  await log.admin.create('orders', { partitions: 1 });
  const producer = await log.producer({ transactionalId: 't' });
  producer.begin();
  await producer.append('orders', 0, batch('a=1'));
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ topic: 'orders', partition: 0, position: 0 }]);
  const waiting = refuses('log.closed', reader.fetch(60_000));
  port.close();
  await waiting;
  for (let i = 0; i < 10_000 && (await other.admin.bounds('orders', 0)).stable === 0; i++) await systemClock.turn();
  const { stable, end } = await other.admin.bounds('orders', 0);
  assert.equal(stable, end);
  await refuses('log.closed', log.admin.list());
  await other.close();
  await otherServer.close();
  await close();
});
