import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { FlowError, isFlowError } from '../core/errors.ts';
import { loadConfig } from './config.ts';
import { connected } from './connected.ts';
import { gatewayOf } from './gateway-client.ts';

test('a stream that the gateway closes is gone on with behind its last event', { timeout: 600_000 }, async () => {
  const asked: (string | undefined)[] = [];
  let cut = () => {};
  const server = createServer((request, response) => {
    const last = request.headers['last-event-id'];
    asked.push(last as string | undefined);
    response.write(': welcome\n\n');
    const n = asked.length;
    response.write(`id: c${n}\nevent: EXECUTION_STARTED\ndata: {"n":`);
    setTimeout(() => {
      const rest = `${n}}\n\n`;
      if (n === 1) response.end(`${rest}event: closed\ndata: {"reason":"the gateway is closing"}\n\n`);
      else response.write(rest);
      cut = () => response.destroy();
    }, 20);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = gatewayOf(loadConfig({ cwd: '/', env: { NODEFLOW_GATEWAY_URL: `http://127.0.0.1:${port}` } }));
  const stop = new AbortController();
  const [got, said]: [string[], string[]] = [[], []];
  const world = { clock: systemClock, stop: stop.signal, err: (line: string) => void said.push(line) };
  let last: string | undefined;
  await connected(world, async (stands) => {
    for await (const { cursor, data } of await gateway.events('/v1/events', stop.signal, last)) {
      stands();
      last = cursor;
      got.push(data);
      if (got.length === 2) cut();
      if (got.length === 3) stop.abort();
    }
  });
  assert.deepEqual(got, ['{"n":1}', '{"n":2}', '{"n":3}']);
  assert.deepEqual(asked, [undefined, 'c1', 'c2']);
  assert.equal(said.length, 2);
  assert.match(said[0]!, /the stream of events has ended: the gateway is closing; connecting again$/);
  server.closeAllConnections();
  server.close();
});

test('who never stood, or was gone for too long, gives up', async () => {
  let now = 0;
  const clock = {
    ...systemClock,
    monotonic: () => now,
    sleep: async (ms: number) => {
      now += ms;
      return true;
    },
  };
  const world = { clock, stop: new AbortController().signal, err: () => undefined };
  const gone = new FlowError('gateway.unreachable', 'nobody is there');
  let tries = 0;
  const fails = async () => {
    tries++;
    throw gone;
  };
  await assert.rejects(connected(world, fails), (thrown) => isFlowError(thrown, 'gateway.unreachable'));
  assert.equal(tries, 1);
  const cut = async (stands: () => void) => {
    if (tries++ < 3) stands();
    throw gone;
  };
  await assert.rejects(connected(world, cut), (thrown) => isFlowError(thrown, 'gateway.unreachable'));
  assert.ok(now > 60_000 && now < 62_000, `${now}`);
});
