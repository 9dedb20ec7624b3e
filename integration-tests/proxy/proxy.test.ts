import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../../core/clock.ts';
import { makeRequest, openFakeClient, startFakeBroker } from './fake-broker.fixture.ts';
import { API, KAFKA_ERROR, startProxy } from './proxy.ts';

async function bench(clock = systemClock) {
  const broker = await startFakeBroker();
  const proxy = await startProxy(clock, [{ broker: 1, port: broker.port }]);
  const client = await openFakeClient(proxy.ports[0]!);
  return {
    broker,
    proxy,
    client,
    another: () => openFakeClient(proxy.ports[0]!),
    async close() {
      client.socket.destroy();
      await proxy.close();
      await broker.close();
    },
  };
}

const fetch = (correlation: number) => makeRequest(API.fetch, 12, correlation);
const endTxn = (correlation: number) => makeRequest(API.endTxn, 5, correlation);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.turn();
}

test('without rules everything passes, in order, and is counted', async () => {
  const { proxy, client, broker, close } = await bench();
  const all = Buffer.concat([fetch(1), endTxn(2), fetch(3)]);
  client.send(all.subarray(0, 3), all.subarray(3, 21), all.subarray(21));
  await client.until(() => client.answers.length === 3);
  assert.deepEqual(client.correlations, [1, 2, 3]);
  assert.deepEqual(
    broker.requests.map(({ api }) => api),
    [API.fetch, API.endTxn, API.fetch],
  );
  assert.deepEqual([proxy.seen('fetch'), proxy.seen('endTxn'), proxy.seen('endTxn', 'answer')], [2, 1, 1]);
  await close();
});

test('hold: the frame and what is behind it wait; only the chosen match counts', async () => {
  const { proxy, client, broker, close } = await bench();
  const rule = proxy.add({ name: 'h', api: 'endTxn', direction: 'request', skip: 1, action: { do: 'hold' } });
  client.send(endTxn(1), endTxn(2), fetch(3));
  await Promise.all([rule.whenFired(), client.until(() => client.answers.length === 1)]);
  assert.deepEqual([rule.matched, rule.fired, rule.held, broker.requests.length], [2, 1, 1, 1]);
  rule.release();
  await client.until(() => client.answers.length === 3);
  assert.deepEqual(client.correlations, [1, 2, 3]);
  assert.deepEqual([rule.held, rule.released], [0, 1]);
  await close();
});

test('hold for a time, on an answer', async () => {
  const clock = new VirtualClock();
  const { proxy, client, close } = await bench(clock);
  const rule = proxy.add({ name: 'h', direction: 'answer', action: { do: 'hold', forMs: 500 } });
  client.send(fetch(1), fetch(2));
  await rule.whenFired();
  clock.advance(499);
  assert.equal(rule.held, 1);
  clock.advance(1);
  await client.until(() => client.answers.length === 2);
  assert.deepEqual(client.correlations, [1, 2]);
  await close();
});

test('delay: a request reaches the broker behind later ones, and even when its client has left', async () => {
  const { proxy, client, broker, another, close } = await bench();
  const rule = proxy.add({ name: 'late', api: 'endTxn', direction: 'request', action: { do: 'delay' } });
  client.send(endTxn(1), fetch(2));
  await client.until(() => client.answers.length === 1);
  client.socket.destroy();
  const second = await another();
  second.send(endTxn(7));
  await second.until(() => second.answers.length === 1);
  assert.deepEqual(
    broker.requests.map(({ correlation }) => correlation),
    [2, 7],
  );
  rule.release();
  await until(() => broker.requests.length === 3);
  assert.deepEqual(broker.requests[2], { api: API.endTxn, correlation: 1, socket: 0 });
  second.socket.destroy();
  await close();
});

test('swap, drop and repeat', async () => {
  const { proxy, client, broker, close } = await bench();
  const swap = proxy.add({ name: 's', api: 'fetch', direction: 'request', action: { do: 'swap' } });
  client.send(fetch(1), fetch(2));
  await client.until(() => client.answers.length === 2);
  assert.deepEqual(client.correlations, [2, 1]);
  swap.remove();
  proxy.add({ name: 'd', api: 'fetch', direction: 'answer', action: { do: 'drop' } });
  client.send(fetch(3), fetch(4));
  await client.until(() => client.answers.length === 3);
  assert.deepEqual(client.correlations, [2, 1, 4]);
  const again = proxy.add({ name: 'r', api: 'endTxn', direction: 'request', action: { do: 'repeat' } });
  client.send(endTxn(5));
  await client.until(() => client.answers.length === 4);
  again.release();
  await until(() => broker.requests.length === 6);
  assert.deepEqual(broker.requests[5], { api: API.endTxn, correlation: 5, socket: 1 });
  assert.equal(client.answers.length, 4);
  await close();
});

test('cut: the answer is lost, or delivered last', async () => {
  for (const deliver of [false, true]) {
    const { proxy, client, broker, close } = await bench();
    proxy.add({ name: 'c', api: 'endTxn', direction: 'answer', action: { do: 'cut', deliver } });
    client.send(endTxn(1));
    await once(client.socket, 'close');
    assert.deepEqual([broker.requests.length, client.answers.length], [1, deliver ? 1 : 0]);
    await close();
  }
});

test('cut: a request is lost with its connection', async () => {
  const { proxy, client, broker, close } = await bench();
  proxy.add({ name: 'c', api: 'endTxn', direction: 'request', action: { do: 'cut' } });
  client.send(endTxn(1));
  await once(client.socket, 'close');
  assert.equal(broker.requests.length, 0);
  await close();
});

test('silence: connections stay open and carry nothing until it is lifted', async () => {
  const { proxy, client, broker, another, close } = await bench();
  const lift = proxy.silence(1);
  client.send(fetch(1));
  const second = await another();
  second.send(fetch(2));
  await until(() => second.socket.bytesWritten > 0);
  lift();
  const third = await another();
  third.send(fetch(3));
  await third.until(() => third.answers.length === 1);
  assert.deepEqual(
    broker.requests.map(({ correlation }) => correlation),
    [3],
  );
  assert.ok(!client.socket.closed && !second.socket.closed);
  second.socket.destroy();
  third.socket.destroy();
  await close();
});

/** A Produce request of one topic and two partitions, without records. */
function produce(version: number, correlation: number): Buffer {
  const partition = (index: number) => Buffer.from([0, 0, 0, index, 1, 0]);
  const name = version >= 13 ? Buffer.alloc(16, 7) : Buffer.from([2, 0x74]);
  const parts = [Buffer.from([0, 0, 0xff, 0xff, 0, 0, 0, 0, 2]), name, Buffer.from([3]), partition(0), partition(1)];
  return makeRequest(API.produce, version, correlation, Buffer.concat([...parts, Buffer.from([0, 0])]));
}

test('fail: the broker does not see the request; answers keep their order', async () => {
  const { proxy, client, broker, close } = await bench();
  const { notLeader: error } = KAFKA_ERROR;
  const held = proxy.add({ name: 'h', api: 'fetch', direction: 'answer', action: { do: 'hold' } });
  proxy.add({ name: 'f', api: 'produce', direction: 'request', action: { do: 'fail', error } });
  client.send(fetch(1), produce(12, 2), fetch(3));
  await until(() => held.held === 1);
  held.release();
  await client.until(() => client.answers.length === 3);
  assert.deepEqual(client.correlations, [1, 2, 3]);
  assert.deepEqual(
    broker.requests.map(({ correlation }) => correlation),
    [1, 3],
  );
  const answer = client.answers[1]!;
  const one = (index: number) => `0000000${index}0006${'ff'.repeat(24)}010000`;
  assert.equal(answer.toString('hex', 8), `0002027403${one(0)}${one(1)}000000000000`);
  await close();
});

test('fail: a refused EndTxn of version 5', async () => {
  const { proxy, client, close } = await bench();
  proxy.add({ name: 'f', api: 'endTxn', direction: 'request', action: { do: 'fail', error: 51 } });
  client.send(endTxn(9));
  await client.until(() => client.answers.length === 1);
  assert.equal(client.answers[0]!.toString('hex', 4), `0000000900000000000033${'ff'.repeat(8)}ffff00`);
  await close();
});
