import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import type { Projections } from '../projections/projections.ts';
import { createTelemetry, silentTelemetry } from '../telemetry/telemetry.ts';
import { type Gateway, type GatewayOptions, openGateway } from './gateway.ts';
import { described } from './testing/described.ts';
import { FakeWorkflows } from './testing/fake-workflows.ts';

const KEY = 'k'.repeat(32);

async function opened(
  body: (ask: Ask, fake: FakeWorkflows, gateway: Gateway) => Promise<void>,
  over: Partial<GatewayOptions> = {},
) {
  const fake = new FakeWorkflows();
  const options = {
    workflows: fake.workflows,
    projections: undefined,
    telemetry: silentTelemetry(),
    clock: systemClock,
    port: 0,
    ...over,
  };
  const gateway = await openGateway(options);
  const api = await described(gateway.url, { authorization: `Bearer ${KEY}` });
  const ask: Ask = async (method, path, body_, headers = {}) => {
    const answer = await api.fetch(path, {
      method,
      headers: { ...(body_ === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body_ === undefined ? {} : { body: typeof body_ === 'string' ? body_ : JSON.stringify(body_) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    return { status: answer.status, headers: answer.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  };
  try {
    await body(ask, fake, gateway);
  } finally {
    await gateway.close();
  }
}

type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>;
type Answered = { readonly status: number; readonly headers: Headers; readonly body: Body };

/** What tests look at in bodies. */
interface Body {
  readonly [name: string]: Body;
}

test('an execution is started, with a key only once', () =>
  opened(async (ask, fake) => {
    const { status, headers, body } = await ask(
      'POST',
      '/v1/executions',
      { workflow: 'orders', input: { total: 3 }, labels: { team: 'x' } },
      { 'idempotency-key': 'abc' },
    );
    assert.equal(status, 201);
    assert.equal(headers.get('location'), '/v1/executions/e1');
    assert.deepEqual(body, { execution: 'e1', workflow: 'orders', version: '1.0.0', hash: 'h1', existing: false });
    assert.deepEqual(fake.asked, [['start', 'orders', { total: 3 }, { labels: { team: 'x' }, idempotencyKey: 'abc' }]]);
  }));

test('a fork says who asked, and with a key there is only one', () =>
  opened(
    async (ask, fake) => {
      const headers = { authorization: `Bearer ${KEY}`, 'idempotency-key': 'abc' };
      const fork = () => ask('POST', '/v1/executions/e0/fork', { seq: 4, version: '1.0.0' }, headers);
      const { status, body } = await fork();
      assert.equal(status, 201);
      assert.deepEqual(body, { execution: 'e2', workflow: 'orders', version: '1.0.0', hash: 'h1', existing: false });
      fake.forked.existing = true;
      assert.equal((await fork()).status, 200);
      const asked = ['fork', 'e0', 4, { version: '1.0.0', idempotencyKey: 'abc', user: 'ci' }];
      assert.deepEqual(fake.asked, [asked, asked]);
    },
    { apiKeys: [{ name: 'ci', key: KEY }] },
  ));

test('every command goes through with its id', () =>
  opened(async (ask, fake) => {
    const key = { 'idempotency-key': 'c1' };
    const sent = [
      await ask('POST', '/v1/executions/e1/cancel', { reason: 'late' }, key),
      await ask('POST', '/v1/executions/e1/pause', undefined, key),
      await ask('POST', '/v1/executions/e1/resume', undefined, key),
      await ask('POST', '/v1/executions/e1/end', undefined, key),
      await ask('POST', '/v1/executions/e1/savepoint', undefined, key),
      await ask('POST', '/v1/executions/e1%2F~2/forget', undefined, key),
      await ask('POST', '/v1/executions/e1/signals/paid', { amount: 3 }, key),
      await ask('POST', '/v1/executions/e1/retry', { node: 'pay' }, key),
      await ask('POST', '/v1/executions/e1/nodes/pay/intervene', { action: 'output', value: 1 }, key),
      await ask('POST', '/v1/executions/e1/nodes/pay/intervene', { action: 'retry', input: null }, key),
      await ask('POST', '/v1/executions/e1/patch', { baseRevision: 1, ops: [{ op: 'remove-node', id: 'x' }] }, key),
      await ask('POST', '/v1/approvals/t1', { decision: 'approved', value: 'ok' }, key),
    ];
    for (const { status, body } of sent) assert.deepEqual([status, body], [200, { execution: 'e1', seq: 7 }]);
    assert.deepEqual(fake.asked, [
      ['cancel', 'e1', { reason: 'late', id: 'c1' }],
      ['pause', 'e1', { id: 'c1' }],
      ['resume', 'e1', { id: 'c1' }],
      ['end', 'e1', { id: 'c1' }],
      ['savepoint', 'e1', { id: 'c1' }],
      ['forget', 'e1/~2', { id: 'c1' }],
      ['signal', 'e1', 'paid', { amount: 3 }, { id: 'c1' }],
      ['retryFrom', 'e1', 'pay', { id: 'c1' }],
      ['intervene', 'e1', 'pay', { action: 'output', value: 1 }, { id: 'c1' }],
      ['intervene', 'e1', 'pay', { action: 'retry', input: null }, { id: 'c1' }],
      ['patch', 'e1', 1, [{ op: 'remove-node', id: 'x' }], { id: 'c1' }],
      ['approve', 't1', 'approved', 'ok', { id: 'c1' }],
    ]);
  }));

test('an upgrade is answered with what goes on, and its refusal says why', () =>
  opened(async (ask, fake) => {
    const upgrade = (body: object) => ask('POST', '/v1/executions/e1/upgrade', body, { 'idempotency-key': 'u1' });
    const { status, body } = await upgrade({ version: '2.0.0' });
    assert.deepEqual([status, body.execution], [201, 'e2']);
    assert.deepEqual(fake.asked, [['upgrade', 'e1', { version: '2.0.0', id: 'u1' }]]);
    assert.equal((await upgrade({})).body.code, 'gateway.request');
    fake.failure = new FlowError('workflow.not-upgradable', 'store sums: its windows were 60000');
    const refused = await upgrade({ version: '3.0.0' });
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.detail],
      [409, 'workflow.not-upgradable', 'store sums: its windows were 60000'],
    );
  }));

test('errors are problem details with code and cure, and nothing of the inside', () =>
  opened(async (ask, fake) => {
    const unfit = await ask('POST', '/v1/executions', { input: 1, odd: true });
    assert.equal(unfit.status, 400);
    assert.equal(unfit.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.equal(unfit.body.code, 'gateway.request');
    assert.equal(unfit.body.faults.length, 2, 'all faults at once');
    assert.equal((await ask('POST', '/v1/executions', '{"a":')).status, 400);
    assert.equal((await ask('POST', '/v1/executions', '{"__proto__":{"x":1},"workflow":"a"}')).status, 400);
    assert.equal(
      (await ask('POST', '/v1/executions', JSON.stringify({ workflow: 'a', input: 'x'.repeat(2 ** 21) }))).status,
      413,
    );
    const unknown = await ask('GET', '/v1/executions/zzz');
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'workflow.unknown-execution']);
    assert.equal((await ask('GET', '/v1/definitions/orders?version=9.0.0')).body.code, 'workflow.unknown-definition');
    assert.deepEqual((await ask('GET', '/nothing')).body.code, 'gateway.not-found');
    fake.failure = new FlowError('workflow.rejected', 'e1 has ended');
    const rejected = await ask('POST', '/v1/executions/e1/pause');
    assert.deepEqual([rejected.status, rejected.body.detail], [409, 'e1 has ended']);
    fake.failure = new TypeError('secret inside') as unknown as FlowError;
    const failed = await ask('POST', '/v1/executions/e1/pause');
    assert.equal(failed.status, 500);
    assert.ok(!JSON.stringify(failed.body).includes('secret'));
    assert.equal((await ask('GET', '/v1/executions')).body.code, 'gateway.no-list');
  }));

test('what is said for people holds no secrets', () => {
  const health = { ready: false, degraded: undefined, ill: 'postgres://me:hunter22@db is away' };
  return opened(
    async (ask, fake) => {
      const { body } = await ask('GET', '/healthz');
      assert.equal(body.reason, 'postgres://[hidden]@db is away');
      fake.failure = Object.assign(new FlowError('workflow.invalid', 'the header says token=abcdefgh'), {
        faults: [{ code: 'a', message: 'password: hunter22' }],
      });
      const refused = await ask('POST', '/v1/definitions', { id: 'orders' });
      assert.equal(refused.body.detail, 'the header says token=[hidden]');
      assert.deepEqual(refused.body.faults, [{ code: 'a', message: 'password: [hidden]' }]);
      fake.feedEnded = Promise.reject(new Error('the log refused token=abcdefgh'));
      fake.feedEnded.catch(() => undefined);
      const events = await ask('GET', '/v1/events');
      assert.match(String(events.body), /"reason":"the log refused token=\[hidden\]"/);
    },
    { health: () => health },
  );
});

test('documents are judged and published', () =>
  opened(async (ask, fake) => {
    const judged = await ask('POST', '/v1/definitions/validate', { id: 'x' });
    assert.deepEqual([judged.body.valid, judged.body.faults[0].code], [false, 'workflow.cycle']);
    const published = await ask('POST', '/v1/definitions', { id: 'orders' });
    assert.deepEqual(
      [published.status, published.headers.get('location')],
      [201, '/v1/definitions/orders?version=1.0.0'],
    );
    fake.failure = Object.assign(new FlowError('workflow.invalid', 'two faults'), {
      faults: [{ code: 'a' }, { code: 'b' }],
    });
    const refused = await ask('POST', '/v1/definitions', { id: 'orders' });
    assert.deepEqual([refused.status, refused.body.faults], [422, [{ code: 'a' }, { code: 'b' }]]);
    assert.deepEqual((await ask('GET', '/v1/definitions/orders')).body.document, fake.document);
  }));

test('lists are asked of the read side, with all that a query may say', async () => {
  const queries: unknown[] = [];
  const projections = {
    async list(query: unknown) {
      queries.push(query);
      return { rows: [], next: null };
    },
  } as unknown as Projections;
  await opened(
    async (ask) => {
      const path =
        '/v1/executions?workflow=orders&status=FAILED,RUNNING&label=team%3Dx&label=a%3Db%3Dc&degraded=true&limit=5&startedAfter=10';
      assert.deepEqual((await ask('GET', path)).body, { rows: [], next: null });
      assert.equal((await ask('GET', '/v1/executions?status=LOST')).status, 400);
      assert.equal((await ask('GET', '/v1/executions?limit=501')).status, 400);
    },
    { projections },
  );
  assert.deepEqual(queries, [
    {
      workflow: 'orders',
      status: ['FAILED', 'RUNNING'],
      labels: { team: 'x', a: 'b=c' },
      degraded: true,
      limit: 5,
      startedAfter: 10,
    },
  ]);
});

test('a public address is refused without a key, and so is a short key', async () => {
  const parts = {
    workflows: new FakeWorkflows().workflows,
    projections: undefined,
    telemetry: silentTelemetry(),
    clock: systemClock,
    port: 0,
  };
  await assert.rejects(openGateway({ ...parts, host: '0.0.0.0' }), {
    code: 'gateway.unprotected',
    message: /set an API key, or bind it to 127\.0\.0\.1/,
  });
  await assert.rejects(openGateway({ ...parts, apiKeys: [{ name: 'ci', key: 'short' }] }), { code: 'config.invalid' });
});

test('with keys every request but for health needs one, and its name is written down', () =>
  opened(
    async (ask, fake, gateway) => {
      const spec = (await ask('GET', '/openapi.json', undefined, { authorization: `Bearer ${KEY}` })).body;
      for (const [path, methods] of Object.entries(spec.paths as Record<string, object>)) {
        for (const method of Object.keys(methods)) {
          const at = path.replaceAll(/\{[^}]+\}/g, '1');
          assert.equal((await ask(method.toUpperCase(), at)).status, 401, `${method} ${path}`);
        }
      }
      for (const path of ['/metrics', '/openapi.json', '/nothing'])
        assert.equal((await ask('GET', path)).status, 401, path);
      assert.equal((await ask('GET', '/healthz')).status, 200);
      assert.equal((await ask('GET', '/healthz', undefined, { authorization: 'Bearer wrong' })).status, 200);
      await assert.rejects(firstMessage(new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/events/socket`)));
      await ask('POST', '/v1/executions/e1/pause', undefined, { authorization: `Bearer ${KEY}` });
      assert.deepEqual(fake.asked, [['pause', 'e1', { by: 'ci' }]]);
    },
    { apiKeys: [{ name: 'ci', key: KEY }] },
  ));

test("a page of another site, or a name that is not this host's, is refused", () =>
  opened(async (ask, _, gateway) => {
    assert.equal((await ask('GET', '/v1/definitions', undefined, { origin: 'http://evil.example' })).status, 403);
    assert.equal((await ask('GET', '/v1/definitions', undefined, { origin: gateway.url })).status, 200);
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/events/socket`, {
      origin: 'http://evil.example',
    });
    await assert.rejects(firstMessage(socket));
  }));

test('events come over a WebSocket, filtered, each with the cursor behind it', () =>
  opened(async (_, fake, gateway) => {
    const url = `${gateway.url.replace('http', 'ws')}/v1/events/socket?execution=e1&types=NODE_STATE_CHANGED&from=4.5`;
    const socket = new WebSocket(url);
    const message = firstMessage(socket);
    await subscribed(fake);
    fake.emit({ execution: 'e2' }, [5, 5]);
    fake.emit({ type: 'DATA_AVAILABLE' }, [5, 6]);
    fake.emit({ seq: 9 }, [5, 7]);
    const found = JSON.parse(await message);
    assert.deepEqual([found.cursor, found.event.seq], ['5.7', 9]);
    assert.deepEqual(fake.from, [[4, 5]]);
    socket.close();
    while (fake.subscribers.size > 0) await systemClock.sleep(5);
  }));

test('events come as Server-Sent Events, and go on behind the last one that was taken', () =>
  opened(async (_, fake, gateway) => {
    const stop = new AbortController();
    const answer = await fetch(`${gateway.url}/v1/events?node=pay`, {
      headers: { 'last-event-id': '3.4' },
      signal: stop.signal,
    });
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    await subscribed(fake);
    assert.deepEqual(fake.from, [[3, 4]]);
    fake.emit({ node: 'ship' }, [4, 4]);
    fake.emit({ seq: 2 }, [4, 5]);
    let text = '';
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes('data:')) break;
    }
    assert.match(text, /id: 4\.5\nevent: NODE_STATE_CHANGED\ndata: \{.*"seq":2.*\}\n\n/);
    assert.ok(!text.includes('ship'));
    stop.abort();
    while (fake.subscribers.size > 0) await systemClock.sleep(5);
  }));

test('a client that does not read is closed with the reason, and the others go on', () =>
  opened(async (_, fake, gateway) => {
    const socketUrl = `${gateway.url.replace('http', 'ws')}/v1/events/socket`;
    const slow = new WebSocket(socketUrl);
    await new Promise((resolve) => slow.once('open', resolve));
    slow.pause();
    const quick = new WebSocket(socketUrl);
    let seen = 0;
    quick.on('message', () => seen++);
    await new Promise((resolve) => quick.once('open', resolve));
    while (fake.subscribers.size < 2) await systemClock.sleep(5);
    let sent = 0;
    while (fake.subscribers.size === 2) {
      fake.emit({ seq: sent, data: { sample: 'x'.repeat(20_000) } }, [sent++]);
      await systemClock.turn();
      assert.ok(sent < 5000, 'it is never closed');
    }
    const closed = new Promise<number>((resolve) => slow.once('close', resolve));
    slow.resume();
    assert.ok([4408, 1006].includes(await closed));
    while (seen < sent) await systemClock.sleep(5);
    assert.equal(fake.subscribers.size, 1);
    quick.close();
  }));

test('closing tells clients to come again', async () => {
  let closed: Promise<readonly [number, string]> | undefined;
  await opened(async (_, fake, gateway) => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/events/socket`);
    closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, reason.toString()])));
    await subscribed(fake);
  });
  const [code, reason] = await closed!;
  assert.equal(code, 1001);
  assert.match(reason, /go on from the last cursor/);
});

test('health, metrics and the description are there', async () => {
  const telemetry = createTelemetry({ level: 'silent' });
  telemetry.counter('nodeflow_tries_total', 'Tries.').value = 3;
  const health = { ready: false, degraded: undefined, ill: 'a worker stands still' };
  await opened(
    async (ask) => {
      assert.deepEqual([(await ask('GET', '/healthz')).status, (await ask('GET', '/readyz')).status], [503, 503]);
      assert.match(String((await ask('GET', '/metrics')).body), /nodeflow_tries_total 3/);
      const spec = (await ask('GET', '/openapi.json')).body;
      assert.equal(spec.openapi, '3.1.0');
      assert.ok(spec.paths['/v1/executions'].post.requestBody.content['application/json'].schema.properties.workflow);
    },
    { telemetry, health: () => health },
  );
});

async function subscribed(fake: FakeWorkflows): Promise<void> {
  while (fake.subscribers.size === 0) await systemClock.sleep(5);
}

function firstMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('message', (data) => resolve(data.toString()));
    socket.once('error', reject);
    socket.once('unexpected-response', (_, answer) => reject(new Error(`${answer.statusCode}`)));
  });
}

test('a session is shown, as it is or was, and emptied', () =>
  opened(async (ask, fake) => {
    const { status, body } = await ask('GET', '/v1/sessions/cart/ann?at=1000');
    assert.deepEqual([status, body['values'], body['waiting']], [200, { items: ['tea'] }, 2]);
    const unknown = await ask('GET', `/v1/sessions/cart/${encodeURIComponent('zoë/é')}`);
    assert.deepEqual([unknown.status, unknown.body['code']], [404, 'workflow.unknown-session']);
    assert.equal((await ask('GET', '/v1/sessions/cart/ann?at=never')).status, 400);
    const cleared = await ask('POST', '/v1/sessions/cart/ann/clear', undefined, { 'idempotency-key': 'c1' });
    assert.equal(cleared.status, 200);
    assert.deepEqual(fake.asked, [
      ['session', 'cart', 'ann', { at: 1000 }],
      ['session', 'cart', 'zoë/é', {}],
      ['clearSession', 'cart', 'ann', { id: 'c1' }],
    ]);
  }));
