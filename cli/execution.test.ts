import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { readReference } from '../events/events.ts';
import { openGateway } from '../gateway/gateway.ts';
import { FakeWorkflows } from '../gateway/testing/fake-workflows.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { say } from './testing.fixture.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-execution-'));
after(() => rmSync(cwd, { recursive: true }));

const VIEW = {
  ...{ id: 'e1', workflow: 'orders', version: '1.0.0', seq: 7, phase: 'running', status: 'RUNNING' },
  ...{ degraded: false, error: null, output: null, nodes: [], continues: null, continuedBy: null, kept: null },
};

async function served(
  body: (run: (...args: readonly string[]) => ReturnType<typeof say>, fake: FakeWorkflows) => Promise<void>,
): Promise<void> {
  const fake = new FakeWorkflows();
  const key = 'k'.repeat(32);
  const options = {
    workflows: fake.workflows,
    projections: undefined,
    telemetry: silentTelemetry(),
    clock: systemClock,
    port: 0,
  };
  const gateway = await openGateway({ ...options, apiKeys: [{ name: 'ann', key }] });
  const env = { NODEFLOW_GATEWAY_URL: gateway.url, NODEFLOW_GATEWAY_KEY: key };
  try {
    await body((...args) => say(cwd, ['execution', ...args], env), fake);
  } finally {
    await gateway.close();
  }
}

test('an execution is started, looked at and told what to do', () =>
  served(async (run, fake) => {
    const started = await run('start', 'orders', '--input', '{"total":3}', '--key', 'k1');
    assert.deepEqual([started.code, started.out], [0, ['e1 has started (orders 1.0.0)']]);
    assert.deepEqual((await run('cancel', 'e1', '--reason', 'late', '--id', 'c1')).out, ['e1 took it in step 7']);
    assert.deepEqual((await run('signal', 'e1', 'paid', '--input', '"yes"', '--json')).out, [
      '{"execution":"e1","seq":7}',
    ]);
    assert.deepEqual((await run('explain', 'e1', 'pay')).out, ['it waits']);
    await run('approve', 't1');
    await run('retry', 'e1', 'pay');
    await run('end', 'e1');
    await run('savepoint', 'e1');
    assert.deepEqual((await run('upgrade', 'e1', '--version', '2.0.0')).out, ['e1 goes on as e2 (version 1.0.0)']);
    assert.match((await run('upgrade', 'e1')).err.join(), /needs --version/);
    assert.deepEqual(fake.asked, [
      ['start', 'orders', { total: 3 }, { idempotencyKey: 'k1', user: 'ann' }],
      ['cancel', 'e1', { reason: 'late', id: 'c1', by: 'ann' }],
      ['signal', 'e1', 'paid', 'yes', { by: 'ann' }],
      ['explain', 'e1', 'pay', undefined],
      ['approve', 't1', 'approved', null, { by: 'ann' }],
      ['retryFrom', 'e1', 'pay', { by: 'ann' }],
      ['end', 'e1', { by: 'ann' }],
      ['savepoint', 'e1', { by: 'ann' }],
      ['upgrade', 'e1', { version: '2.0.0', by: 'ann' }],
    ]);
  }));

test('of a start what is run and under which words; a fork, and a patch of the graph as it is', () =>
  served(async (run, fake) => {
    const part = ['--select', 'pay', '--select', 'ship', '--closure', 'none', '--pins', '{"size":{"large":1}}'];
    const words = ['--label', 'team=shop', '--label', 'why=a=b', '--execution', 'e9'];
    await run('start', 'orders', '--mode', 'batch', ...part, ...words);
    assert.deepEqual((await run('fork', 'e1', '--at', '4', '--version', '1.0.0', '--label', 'team=x')).out, [
      'e2 has started (orders 1.0.0)',
    ]);
    assert.match((await run('fork', 'e1')).err.join(), /fork needs --at/);
    assert.match((await run('start', 'orders', '--label', 'team')).err.join(), /--label team is no name=value/);
    fake.view = { ...VIEW, revision: 3 };
    const ops = [{ op: 'remove-node', id: 'ship' }];
    writeFileSync(join(cwd, 'ops.json'), JSON.stringify(ops));
    writeFileSync(join(cwd, 'patch.json'), JSON.stringify({ baseRevision: 2, ops }));
    assert.deepEqual((await run('patch', 'e1', 'ops.json')).out, ['e1 took it in step 7']);
    await run('patch', 'e1', 'patch.json', '--id', 'p1');
    assert.match((await run('patch', 'e1', 'none.json')).err.join(), /there is no file/);
    const pins = { size: { large: 1 } };
    const select = { nodes: ['pay', 'ship'], closure: 'none' };
    const labels = { team: 'shop', why: 'a=b' };
    assert.deepEqual(fake.asked, [
      ['start', 'orders', null, { mode: 'batch', execution: 'e9', labels, select, pins, user: 'ann' }],
      ['fork', 'e1', 4, { version: '1.0.0', labels: { team: 'x' }, user: 'ann' }],
      ['patch', 'e1', 3, ops, { by: 'ann' }],
      ['patch', 'e1', 2, ops, { id: 'p1', by: 'ann' }],
    ]);
  }));

test('a node that is held is shown with its cure, and goes on as somebody says', () =>
  served(async (run, fake) => {
    const error = { class: 'SYSTEM', code: 'workflow.quarantined', message: '5 processes in a row have ended' };
    const held = { status: 'PENDING', wait: { on: 'intervention', token: 't' }, error, figures: null };
    const told = { id: 'pay', type: 'task', iteration: '2', attempt: 5, since: 0, outputs: {}, segment: null, ...held };
    fake.view = { ...VIEW, nodes: [told] };
    assert.deepEqual((await run('show', 'e1')).out.slice(-2), [
      'pay is held: 5 processes in a row have ended',
      '  nodeflow execution intervene e1 pay retry|output|skip|fail --iteration 2',
    ]);
    await run('intervene', 'e1', 'pay', 'retry', '--iteration', '2');
    await run('intervene', 'e1', 'pay', 'retry', '--input', '{"total":4}');
    await run('intervene', 'e1', 'pay', 'retry', '--input', 'null');
    await run('intervene', 'e1', 'pay', 'output', '--input', '"paid"', '--id', 'i1');
    await run('intervene', 'e1', 'pay', 'skip');
    assert.deepEqual(fake.asked.slice(-5), [
      ['intervene', 'e1', 'pay', { action: 'retry', iteration: '2' }, { by: 'ann' }],
      ['intervene', 'e1', 'pay', { action: 'retry', input: { total: 4 } }, { by: 'ann' }],
      ['intervene', 'e1', 'pay', { action: 'retry', input: null }, { by: 'ann' }],
      ['intervene', 'e1', 'pay', { action: 'output', value: 'paid' }, { id: 'i1', by: 'ann' }],
      ['intervene', 'e1', 'pay', { action: 'skip' }, { by: 'ann' }],
    ]);
    const { code, err } = await run('intervene', 'e1', 'pay', 'dance');
    assert.notEqual(code, 0);
    assert.match(err.join(), /action/);
    assert.match((await run('intervene', 'e1', 'pay')).err.join(), /intervene takes <execution> <node>/);
  }));

test('what runs in a segment is shown with its counters', () =>
  served(async (run, fake) => {
    const told = { type: 'x', iteration: '', attempt: 1, since: 0, outputs: {}, error: null, segment: 'rows' };
    const inner = { ...told, status: 'RUNNING', wait: { on: 'segment', token: 'rows' } };
    const figures = { in: 3000, out: 2000, filtered: 990, dropped: { late: 10 }, deadLetters: 0 };
    const nodes = [
      {
        ...told,
        id: 'rows',
        status: 'RUNNING',
        wait: null,
        figures: { ...figures, out: 3000, filtered: 0, dropped: {} },
      },
      { ...inner, id: 'small', figures },
      { ...inner, id: 'later', figures: null },
    ];
    fake.view = { ...VIEW, nodes };
    assert.deepEqual((await run('show', 'e1')).out.slice(1), [
      'node   type  status   attempt  since                     waits               in    out  left out',
      'rows   x     RUNNING        1  1970-01-01T00:00:00.000Z  -                3,000  3,000  -',
      'small  x     RUNNING        1  1970-01-01T00:00:00.000Z  segment of rows  3,000  2,000  990 filtered, 10 late',
      'later  x     RUNNING        1  1970-01-01T00:00:00.000Z  segment of rows      -      -  -',
    ]);
    fake.view = { ...VIEW, nodes: [{ ...told, id: 'rows', status: 'PENDING', wait: null, figures: null }] };
    assert.doesNotMatch((await run('show', 'e1')).out.join(), /left out/);
  }));

test('S2.1.b2: the value that an event refers to is had by its reference', () =>
  served(async (run, fake) => {
    assert.deepEqual((await run('output', 'e1/4/pay@3/out')).out, ['{"total":3}']);
    const { out } = await run('output', 'e1/9', '--json');
    assert.deepEqual(JSON.parse(out.join('')), {
      ...{ reference: 'e1/9', execution: 'e1', seq: 9, at: 5, node: null, iteration: '', port: null },
      ...{ bytes: 11, schema: null, value: { total: 3 } },
    });
    assert.match((await run('output', 'e1')).err.join(), /no reference to an output; give that of an event/);
    assert.match((await run('output', 'gone%2Fpay/4/pay/out')).err.join(), /nothing was put out at gone%2Fpay/);
    assert.deepEqual(
      fake.asked.map(([, reference]) => readReference(String(reference)).execution),
      ['e1', 'e1', 'gone/pay'],
    );
  }));

test('schedules are listed, and run for past times', () =>
  served(async (run, fake) => {
    assert.match((await run('schedules')).out.join('\n'), /orders +@daily +UTC +1970-01-02T00:00:00.000Z/);
    const filled = await run(
      'backfill',
      'orders',
      '--from',
      '1970-01-01T00:00:00Z',
      '--before',
      '1970-01-03T01:00:00+01:00',
    );

    assert.deepEqual(filled.out, ['orders@1970-01-02T00:00:00Z has started']);
    assert.deepEqual(fake.asked, [['backfill', 'orders', 0, 172_800_000, { user: 'ann' }]]);
    assert.match((await run('backfill', 'orders')).err.join('\n'), /needs --from and --before/);
    assert.notEqual((await run('backfill', 'orders', '--from', 'monday', '--before', 'friday')).code, 0);
  }));

test('what goes wrong is said in one line with its cure', async () => {
  const away = await say(cwd, ['execution', 'show', 'e1'], { NODEFLOW_GATEWAY_URL: 'http://127.0.0.1:9' });
  assert.notEqual(away.code, 0);
  assert.match(away.err.join('\n'), /no workflows are served at http:\/\/127\.0\.0\.1:9 .*nodeflow serve/);
  await served(async (run, fake) => {
    assert.match((await run('dance', 'e1')).err.join('\n'), /no action dance; see nodeflow help execution/);
    assert.match((await run('signal', 'e1')).err.join('\n'), /signal takes <execution> <name>/);
    assert.match(
      (await run('start', 'orders', '--input', 'yes')).err.join('\n'),
      /--input is no JSON: yes; write texts in double quotes/,
    );
    assert.match((await run('list')).err.join('\n'), /read side is not configured/);
    fake.failure = new FlowError('workflow.ended', 'e1 has ended');
    const refused = await run('pause', 'e1');
    assert.match(refused.err.join('\n'), /e1 has ended/);
    assert.notEqual(refused.code, 0);
  });
});

test('start --wait hears of an end that comes as soon as it has looked', { timeout: 600_000 }, async () => {
  let ended = false;
  const listeners = new Set<ServerResponse>();
  const answers: { readonly [path: string]: (response: ServerResponse) => void } = {
    '/v1/executions': (response) =>
      response.end(JSON.stringify({ execution: 'e1', version: '1.0.0', existing: false })),
    '/v1/executions/e1': (response) => {
      response.end(JSON.stringify({ ...VIEW, ...(ended ? { phase: 'ended', status: 'COMPLETED' } : {}) }));
      ended = true;
      for (const listener of listeners) listener.write('event: EXECUTION_COMPLETED\ndata: {}\n\n');
    },
    '/v1/events': (response) =>
      void setTimeout(() => {
        response.write(': welcome\n\n');
        listeners.add(response);
      }, 100),
  };
  const server = createServer((request, response) => answers[request.url!.split('?')[0]!]!(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const env = { NODEFLOW_GATEWAY_URL: `http://127.0.0.1:${port}` };
  try {
    const waited = await say(cwd, ['execution', 'start', 'orders', '--wait'], env);
    assert.deepEqual([waited.code, waited.out[0]], [0, 'e1: orders 1.0.0, COMPLETED, step 7']);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
