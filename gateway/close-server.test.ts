import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import Fastify from 'fastify';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { closeServer } from './close-server.ts';

async function opened() {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  const app = Fastify({ forceCloseConnections: 'idle' });
  app.get('/', () => {
    asked.resolve();
    return answer.promise;
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const clock = new VirtualClock();
  const closes = async () => {
    let isOver = false;
    const closing = closeServer(app, clock).finally(() => {
      isOver = true;
    });
    const began = clock.monotonic();
    while (!isOver) {
      await systemClock.turn();
      clock.advance(1);
    }
    await closing;
    return clock.monotonic() - began;
  };
  return { port, asked, answer, closes };
}

test('a connection on which nothing is asked does not hold a server open', async () => {
  const { port, closes } = await opened();
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  await closes();
  socket.destroy();
});

test('what was asked is answered before a server is closed', async () => {
  const { port, asked, answer, closes } = await opened();
  const fetched = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
  await asked.promise;
  const closing = closes();
  answer.resolve('as it was asked');
  assert.equal(await fetched, 'as it was asked');
  await closing;
});

test('who gets no answer is cut off, in the end', async () => {
  const { port, asked, closes } = await opened();
  const fetched = fetch(`http://127.0.0.1:${port}/`);
  await asked.promise;
  const [tookMs] = await Promise.all([closes(), assert.rejects(fetched)]);
  assert.ok(tookMs >= 5000, `cut off after ${tookMs} ms`);
});
