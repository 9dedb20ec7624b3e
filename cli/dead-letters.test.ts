import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { openGateway } from '../gateway/gateway.ts';
import { FakeWorkflows } from '../gateway/testing/fake-workflows.ts';
import { json, string } from '../schemas/schemas.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { putRecords } from '../workflows/segments/put-record.ts';
import { createLanguage } from '../workflows/workflows.ts';
import { say, withFileLog } from './testing.fixture.ts';
import { openEngine } from './wire.ts';
import { openWorkflowService } from './workflow-service.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-dead-letters-'));
after(() => rmSync(cwd, { recursive: true }));

const ID = 'nf.shop.dead-letters:3';
type Run = (...args: readonly string[]) => ReturnType<typeof say>;

async function served(body: (run: Run, fake: FakeWorkflows) => Promise<void>): Promise<void> {
  const fake = new FakeWorkflows();
  const key = 'k'.repeat(32);
  const gateway = await openGateway({
    ...{ workflows: fake.workflows, projections: undefined, telemetry: silentTelemetry(), clock: systemClock, port: 0 },
    apiKeys: [{ name: 'ann', key }],
  });
  const env = { NODEFLOW_GATEWAY_URL: gateway.url, NODEFLOW_GATEWAY_KEY: key };
  try {
    await body((...args) => say(cwd, ['dead-letters', ...args], env), fake);
  } finally {
    await gateway.close();
  }
}

test('dead letters of what is served are listed, filtered and shown', () =>
  served(async (run, fake) => {
    const listed = await run(
      'list',
      '--kind',
      'record',
      '--since',
      '1970-01-01T00:00:05Z',
      '--waiting',
      '--limit',
      '9',
    );
    assert.deepEqual(listed.out, [
      'id                      kind    at                        from                 of        code                      message  redriven',
      `${ID}  record  1970-01-01T00:00:00.005Z  orders/1 position 2  shop map  record.failed (again, 1)  no       1970-01-01T00:00:00.009Z by ann`,
    ]);
    assert.deepEqual(listed.err, ['there are more: --after further']);
    assert.equal((JSON.parse((await run('--json')).out[0]!) as { readonly id: string }).id, ID);
    const shown = await run('show', ID);
    assert.deepEqual(shown.out, [
      `${ID}: record, given up 1970-01-01T00:00:00.005Z, failed, PERMANENT`,
      '  record.failed: no',
      '  of shop map, task t_0',
      '  read from orders/1 position 2',
      '  what it holds was redriven 1 times before',
      '  timestamp 1970-01-01T00:00:00.007Z',
      '  key k',
      '  value {"n":1}',
      '  header trace x',
      '  headers left out, since they hold secrets: cookie',
      '  redriven 1970-01-01T00:00:00.009Z by ann, 1 times',
    ]);
    await run('show', ID, '--raw', '--json');
    assert.deepEqual(fake.asked, [
      ['deadLetters', { kind: 'record', since: 5000, limit: 9, redriven: false }],
      ['deadLetters', {}],
      ['deadLetter', ID, {}],
      ['deadLetter', ID, { raw: true }],
    ]);
    for (const [words, why] of [
      [['list', '--kind', 'letter'], /--kind takes command, node, record, not letter/],
      [['list', '--since', 'monday'], /--since takes a time with its zone/],
      [['list', '--redriven', '--waiting'], /leave nothing over/],
      [['show'], /show takes one id/],
      [['dance'], /dance takes nothing else, or is no action/],
      [['redrive', '--value', '1'], /another key or value, and --again, go with one id/],
      [['redrive', ID, '--value', 'yes'], /--value is no JSON: yes/],
      [['redrive', ID, '--header', 'x'], /--header takes name=text/],
    ] as const) {
      const { code, err } = await run(...words);
      assert.equal(code, 2, words.join(' '));
      assert.match(err.join('\n'), why);
    }
  }));

test('S2.2.d: one is redriven, as it was or changed; of several what that would do is shown first', () =>
  served(async (run, fake) => {
    assert.deepEqual((await run('redrive', ID)).out, [`${ID} is redriven: sent to orders/1 position 4`]);
    const change = ['--value', '{"n":2}', '--key', 'k2', '--timestamp', '1970-01-01T00:00:01Z', '--header', 'a=b=c'];
    const again = await run('redrive', ID, ...change, '--again', '--id', 'r1', '--json');
    assert.equal((JSON.parse(again.out[0]!) as { readonly times: number }).times, 1);
    await run('redrive', ID, '--value', 'null');
    const looked = await run('redrive', '--execution', 'e1');
    assert.deepEqual(looked.out, [
      `${ID} ready: to orders/1`,
      'nf.segments.dead-letters:1 refused: nf.segments.dead-letters:1 cannot be redriven: execution e1 has ended',
      '1 ready, 1 refused',
      'nothing was done yet; give the command again with --yes',
    ]);
    assert.equal(looked.code, 0);
    const done = await run('redrive', '--execution', 'e1', '--yes', '--json');
    assert.deepEqual(
      done.out.map((line) => (JSON.parse(line) as { readonly outcome: string }).outcome),
      ['redriven', 'refused'],
    );
    assert.equal(done.code, 1);
    const two = await run('redrive', ID, 'x', '--limit', '2', '--timestamp', '7', '--yes');
    assert.deepEqual(two.out, [`${ID} redriven: orders/1 position 4`, '1 redriven']);
    const changed = { value: { n: 2 }, key: 'k2', timestamp: 1000, headers: { a: 'b=c' } };
    assert.deepEqual(fake.asked, [
      ['redrive', ID, { by: 'ann' }],
      ['redrive', ID, { id: 'r1', by: 'ann', again: true, change: changed }],
      ['redrive', ID, { by: 'ann', change: { value: null } }],
      ['redriveAll', { execution: 'e1', limit: 500 }, { preview: true, by: 'ann' }],
      ['redriveAll', { execution: 'e1', limit: 500, after: 'further' }, { preview: true, by: 'ann' }],
      ['redriveAll', { execution: 'e1', limit: 500 }, { by: 'ann' }],
      ['redriveAll', { execution: 'e1', limit: 500, after: 'further' }, { by: 'ann' }],
      ['redriveAll', { limit: 2 }, { ids: [ID, 'x'], change: { timestamp: 7 }, by: 'ann' }],
    ]);
    fake.failure = new FlowError('dead-letter.not-redrivable', `${ID} cannot be redriven: over`);
    const refused = await run('redrive', ID);
    assert.equal(refused.code, 2);
    assert.match(refused.err.join('\n'), /cannot be redriven: over/);
  }));

test('S2.2.d: letters of all kinds are redriven over HTTP where workflows are served', {
  timeout: 600_000,
}, async () => {
  const engine = await openEngine({ log: 'memory' });
  const { log } = engine;
  const language = createLanguage();
  const service = await openWorkflowService({
    ...{ engine, language, database: 'none', gateway: { port: 0 } },
    settings: { partitions: 1, segments: { settings: { commitIntervalMs: 5, idleMs: 20 } } },
  });
  const env = { NODEFLOW_GATEWAY_URL: service.gateway!.url };
  const told = async (...args: readonly string[]) => {
    const said = await say(cwd, ['dead-letters', ...args, '--json'], env);
    assert.equal(said.code, 0, said.err.join('\n'));
    return said.out.filter((line) => line !== '').map((line) => JSON.parse(line));
  };
  try {
    const { workflows } = service;
    const [key, value] = [string(), json()];
    await putRecords(log, { name: 'lists', partitions: 1, key, value } as never, [
      { key: 'a', value: { list: [7], at: 3 }, timestamp: 5 },
    ]);
    await putRecords(log, { name: 'nf.commands', partitions: 1, key, value } as never, [
      { key: 'w', value: { x: 'w', c: 'go' }, timestamp: 5 },
    ]);
    const policy = { onError: 'dead-letter' as const, retry: { maxAttempts: 1 } };
    const http = { id: 'call', type: 'task.http', data: { config: { url: 'http://127.0.0.1:9/' }, policy } };
    const wait = { id: 'go', type: 'wait.signal', data: { config: { name: 'go' } } };
    const plain = { apiVersion: 'nodeflow/v1' as const, version: '1.0.0' };
    await workflows.publish({ ...plain, id: 'calls', name: 'Calls', nodes: [http, wait], edges: [] });
    await workflows.start('calls', null, { execution: 'w' });
    const source = { id: 'lists', type: 'source.topic', data: { config: { topic: 'lists', partitions: 1 } } };
    const picks = { id: 'picks', type: 'op.map', data: { config: { value: 'value.list[value.at]' }, policy } };
    const sink = { id: 'out', type: 'sink.topic', data: { config: { topic: 'picked', value: 'json', partitions: 1 } } };
    const edges = [
      { source: 'lists', target: 'picks' },
      { source: 'picks', target: 'out' },
    ];
    const { retry: _, ...keeps } = policy;
    const nodes = [source, { ...picks, data: { ...picks.data, policy: keeps } }, sink];
    await workflows.publish({ ...plain, id: 'picks', name: 'Picks', mode: 'streaming', nodes, edges });
    await workflows.start('picks', null, { execution: 's' });
    let rows: readonly Record<string, never>[] = [];
    while (rows.length < 3) rows = await told('list');
    const idOf = (kind: string) => rows.find((row) => row['kind'] === kind)!['id'] as string;
    const [whole] = await told('show', idOf('record'));
    assert.deepEqual(whole.record, {
      ...{ key: { bytes: 1, text: 'a' }, value: { bytes: 19, json: { list: [7], at: 3 } }, timestamp: 5 },
      ...{ headers: [], hidden: [], ofNode: false },
    });
    assert.deepEqual([whole.execution, whole.node, whole.workflow], ['s', 'picks', 'picks']);
    const looked = await told('redrive');
    assert.deepEqual(looked.map(({ kind, outcome }) => `${kind} ${outcome}`).toSorted(), [
      ...['command refused', 'node ready', 'record ready'],
    ]);
    const signal = JSON.stringify({ x: 'w', c: { type: 'signal', name: 'go', id: 's', payload: 1 } });
    const [command] = await told('redrive', idOf('command'), '--value', signal);
    assert.deepEqual(
      [command.kind, command.execution, command.existing, typeof command.seq],
      [...(['command', 'w', false, 'number'] as const)],
    );
    const [record] = await told('redrive', idOf('record'), '--value', '{"list":[7],"at":0}');
    assert.deepEqual(record.to, { topic: 'lists', partition: 0, position: 1 });
    while ((await log.admin.bounds('picked', 0)).stable === 0) await systemClock.sleep(5);
    assert.deepEqual((await told('list', '--redriven')).map(({ kind }) => kind).toSorted(), ['command', 'record']);
    const late = await say(cwd, ['dead-letters', 'redrive', idOf('node')], env);
    assert.deepEqual([late.code, /has ended/.test(late.err.join('\n'))], [2, true]);
  } finally {
    await service.close();
    await engine.close();
  }
  const away = await say(cwd, ['dead-letters'], env);
  assert.match(away.err.join('\n'), /no workflows are served .* are had with --log/);
});

/** Takes numbers below ten. */
const TOPOLOGY = `
import { json, string, topic, topology as made } from '${pathToFileURL(join(import.meta.dirname, '..', 'index.ts')).href}';
const numbers = topic('numbers', { key: string(), value: json(), partitions: 2 });
export const topology = made('tens');
topology.stream(numbers, { onUndecodable: 'dead-letter' }).mapValues(({ n }) => {
  if (!(n < 10)) throw new Error(n + ' is too much, token=abc');
  return { n };
}).to(topic('small', { key: string(), value: json(), partitions: 1 }));
`;

test('S2.2.d: what an application gave up is redriven from the log, and goes through it when it runs again', {
  timeout: 600_000,
}, async () => {
  const file = join(cwd, 'tens.ts');
  writeFileSync(file, TOPOLOGY);
  const env = { USER: 'ann' };
  const run = (args: readonly string[], input: readonly string[] = []) => say(cwd, args, env, input);
  const bounded = ['run', file, '--until', 'end', '--set', 'run.onFailure=dead-letter'];
  await withFileLog(cwd, (log) => log.admin.create('numbers', { partitions: 2 }));
  const lines = [1, 10, 11, 12].map(
    (n) => `${JSON.stringify({ key: `k${n}`, value: { n }, headers: { trace: 't' } })}\n`,
  );
  assert.equal((await run(['produce', 'numbers'], lines)).code, 0);
  const first = await run(bounded);
  assert.equal(first.code, 0, first.err.join('\n'));
  const list = async (...more: readonly string[]) =>
    (await run(['dead-letters', 'list', '--log', '--json', ...more])).out.map(
      (line) => JSON.parse(line) as { readonly id: string; readonly message: string; readonly redrives: number },
    );
  const letters = await list();
  assert.equal(letters.length, 3);
  assert.match(letters[0]!.message, /is too much, token=\[hidden\]/);
  const { id } = letters.find(({ message }) => message.startsWith('10'))!;
  const done = await run(['dead-letters', 'redrive', id, '--log', '--value', '{"n":3}']);
  assert.match(done.out[0]!, /is redriven: sent to numbers\/[01] position \d+/);
  assert.match(
    (await run(['dead-letters', 'redrive', id, '--log'])).out[0]!,
    /redriven before, .* by ann.*nothing was sent/,
  );
  const named = await run(['dead-letters', 'redrive', 'nobody', id, '--log', '--json']);
  assert.deepEqual(
    named.out.map((line) => (JSON.parse(line) as { readonly id: string }).id),
    ['nobody', id],
  );
  const looked = await run(['dead-letters', 'redrive', '--log', '--application', 'tens']);
  assert.match(looked.out.join('\n'), /2 ready\nnothing was done yet/);
  assert.match((await run(['dead-letters', 'redrive', '--log', '--yes'])).out.join('\n'), /2 redriven/);
  assert.equal((await list('--waiting')).length, 0);
  const second = await run(bounded);
  assert.equal(second.code, 0, second.err.join('\n'));
  const small = (await run(['consume', 'small', '--json'])).out.map((line) => JSON.parse(line));
  assert.deepEqual(
    small.map(({ value }) => value.n),
    [1, 3],
  );
  assert.deepEqual([small[1].headers['nf.redriven'], small[1].headers.trace], [id, 't']);
  assert.deepEqual(
    (await list('--waiting')).map(({ redrives }) => redrives),
    [1, 1],
  );
  // the bytes of what is waiting, for whoever brings them elsewhere
  const records = (await run(['dead-letters', 'list', '--log', '--waiting', '--records'])).out;
  const brought = await run(
    ['produce', 'numbers', '--key-serde', 'bytes', '--value-serde', 'bytes'],
    records.map((line) => `${line}\n`),
  );
  assert.equal(brought.code, 0, brought.err.join('\n'));
  const all = (await run(['consume', 'numbers', '--json'])).out.map((line) => JSON.parse(line));
  assert.deepEqual(
    all
      .filter(({ value }) => value.n >= 11)
      .map(({ key, value }) => `${key} ${value.n}`)
      .toSorted(),
    ['k11 11', 'k11 11', 'k11 11', 'k12 12', 'k12 12', 'k12 12'],
  );
  const unknown = await run(['dead-letters', 'show', '--log', 'nf.tens.dead-letters:99']);
  assert.match(unknown.err.join('\n'), /there is no dead letter/);
});
