import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { openGateway } from './gateway.ts';
import { described } from './testing/described.ts';
import { FakeWorkflows } from './testing/fake-workflows.ts';

const KEY = 'k'.repeat(32);

type Ask = (method: 'GET' | 'POST', path: string, body?: object) => Promise<{ status: number; body: Answered }>;
interface Answered {
  readonly [name: string]: Answered;
}

/** With a key, by which it is told who asked. */
async function opened(body: (ask: Ask, fake: FakeWorkflows, url: string) => Promise<void>): Promise<void> {
  const fake = new FakeWorkflows();
  const gateway = await openGateway({
    ...{ workflows: fake.workflows, projections: undefined, telemetry: silentTelemetry(), clock: systemClock, port: 0 },
    apiKeys: [{ name: 'ann', key: KEY }],
  });
  try {
    const api = await described(gateway.url, { authorization: `Bearer ${KEY}` });
    await body(
      async (method, path, given) => {
        const answer = await api.fetch(path, {
          method,
          headers: {
            authorization: `Bearer ${KEY}`,
            ...(given === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': 'k1' }),
          },
          ...(given === undefined ? {} : { body: JSON.stringify(given) }),
        });
        return { status: answer.status, body: (await answer.json()) as Answered };
      },
      fake,
      gateway.url,
    );
  } finally {
    await gateway.close();
  }
}

const ID = 'nf.shop.dead-letters:3';

test('dead letters are listed without a read side, filtered, and shown whole', () =>
  opened(async (ask, fake) => {
    const query = 'kind=record&application=shop&redriven=false&since=5&reason=failed&limit=10&after=x';
    const { status, body } = await ask('GET', `/v1/dead-letters?${query}`);
    assert.equal(status, 200);
    assert.deepEqual(body['next'], 'further');
    const row = (body['rows'] as unknown as Answered[])[0]!;
    assert.deepEqual(row['from'], { topic: 'orders', partition: 1, position: 2 });
    assert.deepEqual(row['redriven'], {
      at: 9,
      by: 'ann',
      to: { topic: 'orders', partition: 1, position: 4 },
      times: 1,
    });
    assert.deepEqual([row['class'], row['redrives'], row['execution']], ['PERMANENT', 1, null]);
    const shown = await ask('GET', `/v1/dead-letters/${encodeURIComponent(ID)}?raw=true`);
    assert.deepEqual(shown.body['record'], {
      ...{ key: { bytes: 1, text: 'k' }, value: { bytes: 7, json: { n: 1 } }, timestamp: 7 },
      ...{ headers: [{ name: 'trace', value: { bytes: 1, text: 'x' } }], hidden: ['cookie'], ofNode: false },
    });
    assert.deepEqual(fake.asked, [
      [
        'deadLetters',
        { kind: 'record', application: 'shop', redriven: false, since: 5, reason: 'failed', limit: 10, after: 'x' },
      ],
      ['deadLetter', ID, { raw: true }],
    ]);
    for (const wrong of ['kind=letter', 'limit=0', 'since=monday', 'odd=1']) {
      assert.equal((await ask('GET', `/v1/dead-letters?${wrong}`)).status, 400, wrong);
    }
  }));

test('S2.2.d: one is redriven, as it was or changed, and many are, with a preview', () =>
  opened(async (ask, fake) => {
    const path = `/v1/dead-letters/${encodeURIComponent(ID)}/redrive`;
    const done = await ask('POST', path);
    assert.deepEqual(
      [done.status, done.body['existing'], done.body['by'], done.body['seq']],
      [200, false, 'ann', null],
    );
    const change = { value: { n: 2 }, key: null, timestamp: 5, headers: { trace: 'y' } };
    assert.equal((await ask('POST', path, { ...change, again: true })).status, 200);
    await ask('POST', path, { valueBase64: 'AAE=', value: null });
    await ask('POST', path, { value: null });
    const looked = await ask('POST', '/v1/dead-letters/redrive', { kind: 'record', execution: 'e1', preview: true });
    assert.deepEqual(looked.body['rows'], [
      { id: ID, kind: 'record', outcome: 'ready', to: { topic: 'orders', partition: 1 } },
    ]);
    const rest = await ask('POST', '/v1/dead-letters/redrive', { after: 'further', ids: undefined });
    const [refused] = rest.body['rows'] as unknown as Answered[];
    assert.deepEqual([refused!['outcome'], refused!['code'], rest.body['next']], [
      ...(['refused', 'dead-letter.not-redrivable', null] as const),
    ] as never);
    await ask('POST', '/v1/dead-letters/redrive', { ids: [ID], timestamp: 7, headers: { a: 'b' } });
    await ask('POST', '/v1/dead-letters/redrive');
    assert.deepEqual(fake.asked, [
      ['redrive', ID, { by: 'ann' }],
      ['redrive', ID, { id: 'k1', by: 'ann', again: true, change }],
      ['redrive', ID, { id: 'k1', by: 'ann', change: { valueBase64: 'AAE=', value: null } }],
      ['redrive', ID, { id: 'k1', by: 'ann', change: { value: null } }],
      ['redriveAll', { kind: 'record', execution: 'e1' }, { preview: true, by: 'ann' }],
      ['redriveAll', { after: 'further' }, { by: 'ann' }],
      ['redriveAll', {}, { ids: [ID], change: { timestamp: 7, headers: { a: 'b' } }, by: 'ann' }],
      ['redriveAll', {}, { by: 'ann' }],
    ]);
    for (const wrong of [{ timestamp: -1 }, { headers: { a: {} } }, { odd: 1 }, { again: 'x' }]) {
      assert.equal((await ask('POST', path, wrong)).status, 400, JSON.stringify(wrong));
    }
    assert.equal((await ask('POST', '/v1/dead-letters/redrive', { ids: [] })).status, 400);
  }));

test('what is refused is a problem with its code and cure; without a key nothing is told', () =>
  opened(async (ask, fake, url) => {
    const statuses = [
      ['dead-letter.unknown', 404],
      ['dead-letter.not-redrivable', 409],
      ['dead-letter.unfit', 422],
    ] as const;
    for (const [code, expected] of statuses) {
      fake.failure = new FlowError(code, 'no: password=hunter2');
      const { status, body } = await ask('POST', '/v1/dead-letters/d1/redrive');
      assert.deepEqual([status, body['code'], body['detail']], [expected, code, 'no: password=[hidden]'] as never);
      assert.equal(typeof body['cure'], 'string');
    }
    for (const path of ['/v1/dead-letters', '/v1/dead-letters/d1', '/v1/dead-letters/d1?raw=true']) {
      assert.equal((await fetch(`${url}${path}`)).status, 401);
    }
    assert.equal((await fetch(`${url}/v1/dead-letters/redrive`, { method: 'POST' })).status, 401);
    const spec = (await ask('GET', '/openapi.json')).body;
    const paths = Object.keys(spec['paths']!).filter((path) => path.startsWith('/v1/dead-letters'));
    assert.deepEqual(
      paths.toSorted(),
      ['/v1/dead-letters/redrive', '/v1/dead-letters/{id}', '/v1/dead-letters/{id}/redrive', '/v1/dead-letters/']
        .map((path) => path.replace(/\/$/, ''))
        .toSorted(),
    );
  }));
