import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { freePorts } from '../../cli/kafka/ports.ts';
import { VirtualClock } from '../../core/clock.ts';
import { httpEndpoint, runExport } from '../export.ts';
import { orderLog, orders } from './orders.fixture.ts';

interface Taken {
  readonly key: string;
  readonly ids: readonly number[];
}

async function serving(
  status: (request: number) => number,
  body: (url: string, taken: Taken[]) => Promise<void>,
): Promise<void> {
  const taken: Taken[] = [];
  let requests = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const code = status(++requests);
      if (code === 200) {
        const rows = [JSON.parse(Buffer.concat(parts).toString())].flat();
        taken.push({ key: String(request.headers['idempotency-key']), ids: rows.map(({ value }) => value.id) });
      }
      response.writeHead(code).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=secret`, taken);
  } finally {
    server.close();
  }
}

/** A clock whose sleeps end at once. */
const clock = new (class extends VirtualClock {
  override sleep = async () => true;
})();

test('records go out in requests of so many, in order, under keys of their own', () =>
  serving(
    () => 200,
    async (url, taken) => {
      const { log, put } = await orderLog();
      await put(0, 1, 2, 3, 4, 5);
      await runExport({ log, clock, topic: orders, target: httpEndpoint({ url, batch: 2 }), until: 'end' });
      assert.deepEqual(taken, [
        { key: 'orders/0/0', ids: [1, 2] },
        { key: 'orders/0/2', ids: [3, 4] },
        { key: 'orders/0/4', ids: [5] },
      ]);
    },
  ));

test('what a busy server did not take is sent again under the same key; what it took is not', () =>
  serving(
    (request) => (request === 2 ? 503 : 200),
    async (url, taken) => {
      const { log, put } = await orderLog();
      await put(0, 1, 2, 3);
      const retries: string[] = [];
      const onRetry = (failure: string) => void retries.push(failure);
      await runExport({ log, clock, topic: orders, target: httpEndpoint({ url, batch: 1 }), until: 'end', onRetry });
      assert.deepEqual(
        taken.map(({ key }) => key),
        ['orders/0/0', 'orders/0/1', 'orders/0/2'],
      );
      assert.match(retries[0]!, /answered 503 to orders\/0\/1/);
      assert.ok(!retries[0]!.includes('secret'));
    },
  ));

test('a request that is refused ends the export at once, a server that stays away after some tries', () =>
  serving(
    () => 422,
    async (url) => {
      const { log, put } = await orderLog();
      await put(0, 1);
      const run = (to: string) =>
        runExport({ log, clock, topic: orders, target: httpEndpoint({ url: to }), until: 'end' });
      await assert.rejects(run(url), { code: 'export.refused', message: /answered 422 to orders\/0\/0; correct/ });
      const [closed] = await freePorts(1);
      await assert.rejects(run(`http://127.0.0.1:${closed}/`), {
        code: 'export.failed',
        message: /took no rows in 8 tries; .*ECONNREFUSED/,
      });
      assert.throws(() => httpEndpoint({ url: 'nowhere' }), { code: 'config.invalid' });
    },
  ));
