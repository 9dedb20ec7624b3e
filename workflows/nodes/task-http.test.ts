import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import type { TaskContext } from '../catalog.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { allowedOf, isInternalAddress } from './address-guard.ts';
import type { HttpSettings } from './http-call.ts';
import { httpType } from './task-http.ts';

type Answer = (request: IncomingMessage, body: string, response: ServerResponse) => void;

let answer: Answer = (_request, _body, response) => response.end('fine');
let port = 0;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, Buffer.concat(chunks).toString(), response));
});

before(async () => {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as { readonly port: number }).port;
});
after(() => server.closeAllConnections() ?? server.close());

function call(
  config: Json,
  settings: HttpSettings = {},
  signal = new AbortController().signal,
): Promise<{ readonly [field: string]: Json }> {
  const type = httpType({ allow: [`127.0.0.1:${port}`], ...settings }, (name) =>
    name === 'TOKEN' ? 'Bearer hidden-token' : undefined,
  );
  assert.equal(type.behaviour.kind, 'task');
  const context = { idempotencyKey: 'x/pay', signal } as TaskContext;
  const { run } = type.behaviour as Extract<typeof type.behaviour, { kind: 'task' }>;
  return run(config, {}, context).then(({ out }) => out as { readonly [field: string]: Json });
}

const url = (path = '/') => `http://127.0.0.1:${port}${path}`;
async function failure(promise: Promise<unknown>): Promise<NodeFailure> {
  const thrown = await promise.then(
    () => assert.fail('it succeeded'),
    (each: unknown) => each,
  );
  assert.ok(thrown instanceof NodeFailure, String(thrown));
  return thrown;
}

test('a call sends method, query, headers, body and a key, and puts out the answer', async () => {
  let seen: unknown;
  answer = (request, body, response) => {
    const { authorization, 'idempotency-key': key, 'content-type': type } = request.headers;
    seen = [request.method, request.url, authorization, key, type, body];
    response.writeHead(201, { 'content-type': 'application/vnd.api+json' }).end('{"id":7}');
  };
  const out = await call({
    method: 'POST',
    url: url('/pay'),
    query: { a: 'x y', n: 3, none: null },
    headers: { authorization: { secret: 'TOKEN' } },
    body: { total: 12 },
  });
  assert.deepEqual(seen, [
    'POST',
    '/pay?a=x+y&n=3',
    'Bearer hidden-token',
    'x/pay',
    'application/json',
    '{"total":12}',
  ]);
  assert.deepEqual([out['status'], out['body']], [201, { id: 7 }]);
});

test('answers that are no success: their class, and when to come again', async () => {
  const clock = new VirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const rows: readonly (readonly [number, string | undefined, string, number | undefined])[] = [
    [429, '7', 'TRANSIENT http.429', 7000],
    [503, 'Thu, 01 Jan 2026 00:01:00 GMT', 'TRANSIENT http.503', 60_000],
    [503, 'nonsense', 'TRANSIENT http.503', undefined],
    [404, undefined, 'PERMANENT http.404', undefined],
    [403, undefined, 'USER http.403', undefined],
    [304, undefined, 'PERMANENT http.304', undefined],
  ];
  for (const [status, header, expected, retryAfterMs] of rows) {
    answer = (_request, _body, response) =>
      response
        .writeHead(status, header === undefined ? {} : { 'retry-after': header })
        .end(status === 304 ? undefined : 'no');
    const thrown = await failure(call({ url: url('/x?key=hidden') }, { clock }));
    assert.deepEqual([`${thrown.class} ${thrown.code}`, thrown.retryAfterMs], [expected, retryAfterMs]);
    assert.doesNotMatch(thrown.message, /hidden/);
  }
});

test('internal addresses are refused, however they are written', async () => {
  const addresses = ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'];
  const more = [
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ];
  for (const address of [...addresses, ...more, 'ff02::1', '255.255.255.255', 'none']) {
    assert.ok(isInternalAddress(address), address);
  }
  for (const address of ['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '2a00:1450::1']) {
    assert.ok(!isInternalAddress(address), address);
  }
  const hosts = ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'];
  for (const host of hosts) {
    const thrown = await failure(call({ url: `http://${host}:${port}/` }, { allow: [] }));
    assert.equal(thrown.code, 'http.internal-address', host);
  }
  const both = async () => [
    { address: '1.1.1.1', family: 4 },
    { address: '10.0.0.1', family: 4 },
  ];
  assert.equal((await failure(call({ url: 'http://two.example/' }, { resolve: both }))).code, 'http.internal-address');
  assert.equal((await failure(call({ url: 'http://127.0.0.1:1/' }))).code, 'http.internal-address');
  assert.ok(allowedOf(['10.0.0.0/8']).address('10.2.3.4') && !allowedOf(['10.0.0.0/8']).address('11.0.0.1'));
});

test('a name is resolved once, and the connection goes where that led', async () => {
  let asked = 0;
  const resolve = async () => {
    asked++;
    return [{ address: '127.0.0.1', family: 4 }];
  };
  answer = (request, _body, response) => response.end(request.headers.host);
  const out = await call({ url: `http://inside.example:${port}/` }, { resolve, allow: [`inside.example:${port}`] });
  assert.deepEqual([out['body'], asked], [`inside.example:${port}`, 1]);
});

test('redirects are judged like calls, and take no credentials elsewhere', async () => {
  const seen: unknown[] = [];
  const resolve = async (host: string) => [
    { address: host === 'meta.example' ? '169.254.169.254' : '127.0.0.1', family: 4 },
  ];
  const allow = [`one.example:${port}`, `two.example:${port}`];
  answer = (request, body, response) => {
    seen.push([request.url, request.method, request.headers.authorization ?? null, body]);
    if (request.url === '/to-meta') response.writeHead(302, { location: 'http://meta.example/latest' }).end();
    else if (request.url === '/to-two') response.writeHead(307, { location: `http://two.example:${port}/end` }).end();
    else if (request.url === '/see') response.writeHead(303, { location: '/end' }).end();
    else if (request.url === '/round') response.writeHead(302, { location: '/round' }).end();
    else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else response.end('end');
  };
  const post = (path: string) =>
    call(
      { method: 'POST', url: `http://one.example:${port}${path}`, headers: { authorization: 'x' }, body: 'b' },
      { resolve, allow },
    );
  assert.equal((await failure(post('/to-meta'))).code, 'http.internal-address');
  assert.equal((await failure(post('/file'))).code, 'http.url');
  assert.equal((await failure(post('/round'))).code, 'http.redirects');
  seen.length = 0;
  await post('/to-two');
  await post('/see');
  assert.deepEqual(seen, [
    ['/to-two', 'POST', 'x', 'b'],
    ['/end', 'POST', null, 'b'],
    ['/see', 'POST', 'x', 'b'],
    ['/end', 'GET', 'x', ''],
  ]);
});

test('answers that are too long or take too long, and calls that are given up', async () => {
  answer = (_request, _body, response) => response.end('x'.repeat(2000));
  assert.equal((await failure(call({ url: url() }, { maxBytes: 1000 }))).code, 'http.too-large');
  answer = (_request, _body, response) => response.write('a little');
  const late = await failure(call({ url: url(), timeout: '50ms' }));
  assert.deepEqual([late.class, late.code], ['TRANSIENT', 'http.timeout']);
  const stop = new AbortController();
  const running = call({ url: url() }, {}, stop.signal);
  stop.abort(new Error('given up'));
  await assert.rejects(running, /given up/);
});

test("what is no address, and headers that are the connection's own", async () => {
  for (const text of ['ftp://a.example/', 'nothing', 'http://me:pass@a.example/']) {
    assert.equal((await failure(call({ url: text }))).code, 'http.url', text);
  }
  assert.equal((await failure(call({ url: url(), headers: { Host: 'other' } }))).code, 'http.header');
  assert.equal(
    (await failure(call({ url: url(), headers: { a: { secret: 'NONE' } } }))).code,
    'workflow.secret-missing',
  );
});
