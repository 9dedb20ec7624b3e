import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../core/clock.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView, encodeHeaders, readHeaders } from '../log/batch.ts';
import { createFileLog } from '../log/file/file.ts';

/** Secrets are planted wherever they come from; nothing that is written for people or machines may show one. */
const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-secrets-'));
after(() => rmSync(cwd, { recursive: true, force: true }));
const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const root = new URL('..', import.meta.url).href;
const CANARY = /canary/;
const DEAD_LETTERS = 'nf.leaky.dead-letters';

writeFileSync(
  join(cwd, 'leaky.mjs'),
  `import { json, string, topic, topology as define } from '${root}index.ts';
export const topology = define('leaky');
topology.stream(topic('logins', { key: string(), value: json(), partitions: 2 }), { onUndecodable: 'dead-letter' })
  .mapValues((login) => {
    if (login.n < 0) return login;
    throw new Error('refused: ' + process.env.STORE_PASSWORD + ', token: canary-text, amqp://me:canary-url@host/');
  })
  .to(topic('accepted', { key: string(), value: json(), partitions: 2 }));
`,
);
writeFileSync(join(cwd, 'unknown.json'), '{ "sasl.password": "canary-config" }');
writeFileSync(join(cwd, 'broken.json'), '{ "sasl.password": canary-broken }');

function start(...args: readonly string[]) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('NODEFLOW_'));
  const env = { ...Object.fromEntries(clean), STORE_PASSWORD: 'canary-environment' };
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], env });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out += chunk));
  child.stderr.on('data', (chunk) => (said.err += chunk));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, said, ended };
}

const openLog = () => createFileLog({ directory: join(cwd, '.nodeflow', 'data', 'log'), clock: systemClock });

/** Logins with a secret among their headers, and one record that is no JSON around a secret. */
async function writeLogins(): Promise<void> {
  const log = await openLog();
  await log.admin.create('logins', { partitions: 2 });
  const producer = await log.producer({});
  const headers = encodeHeaders([{ name: 'authorization', value: Buffer.from('Bearer canary-header') }]);
  const key = Buffer.from('someone');
  const builder = new BatchBuilder(new Step());
  for (const text of ['{"n":1}', '{"n":2}', '{"password": "canary-value" ?']) {
    const value = Buffer.from(text);
    builder.appendWithHeaders(1000, key, 0, key.length, value, 0, value.length, headers, 0, headers.length);
  }
  const bytes = builder.finish();
  await producer.append('logins', 0, bytes);
  await producer.close();
  await log.close();
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined, what: () => string): Promise<T> {
  for (let tries = 0; tries < 12_000; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await systemClock.sleep(10);
  }
  throw new Error(`it never came: ${what()}`);
}

test('logs, metrics and health of a run with worker threads show no secret', { timeout: 600_000 }, async () => {
  await writeLogins();
  const set = ['--set', 'run.onFailure=dead-letter', '--set', 'logging.form=json'];
  const run = start(
    'run',
    'leaky.mjs',
    '--workers',
    '2',
    '--metrics-port',
    '0',
    '--log-level',
    'debug',
    '--json',
    ...set,
  );
  const saidSoFar = () => JSON.stringify(run.said);
  const address = await until(() => /metrics on (http:\S+)\/metrics/.exec(run.said.err)?.[1], saidSoFar);
  const get = async (path: string) => {
    const response = await fetch(`${address}${path}`);
    return { status: response.status, body: await response.text() };
  };
  await until(async () => ((await get('/readyz')).status === 200 ? true : undefined), saidSoFar);
  assert.deepEqual(await get('/healthz'), { status: 200, body: 'ok\n' });
  const seen = await until(async () => {
    const { body } = await get('/metrics');
    return /nodeflow_dead_letters_total\{[^}]*reason="undecodable"[^}]*\} 1\n/.test(body) ? body : undefined;
  }, saidSoFar);
  run.child.kill('SIGTERM');
  assert.equal(await run.ended, 0, run.said.err);

  assert.doesNotMatch(seen, CANARY);
  assert.equal(seen.match(/^process_cpu_seconds_total /gm)?.length, 1, 'figures of the process are there once');
  assert.match(seen, /^nodeflow_log_syncs_total [1-9]/m);
  for (const worker of ['worker-0', 'worker-1']) {
    assert.match(seen, new RegExp(`^nodeflow_worker_tasks\\{application="leaky",worker="${worker}"\\} `, 'm'));
  }
  assert.doesNotMatch(run.said.out + run.said.err, CANARY);
  const lines = run.said.err.split('\n').filter((line) => line.startsWith('{'));
  const letters = lines.map((line) => JSON.parse(line)).filter((line) => /dead letters/.test(line.message));
  assert.ok(letters.length > 0);
  for (const { application, task, node, level, worker } of letters) {
    assert.deepEqual([application, level], ['leaky', 'warn']);
    assert.ok(task !== undefined && node !== undefined && worker !== undefined);
  }
});

test('a dead letter keeps key and value as they came; its headers show no secret', async () => {
  const log = await openLog();
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ topic: DEAD_LETTERS, partition: 0, position: 0 }]);
  const { stable } = await log.admin.bounds(DEAD_LETTERS, 0);
  const values: string[] = [];
  const reasons: string[] = [];
  const view = new BatchView();
  for (let next = 0; next < stable; ) {
    for (const fetched of await reader.fetch(100)) {
      fetched.starts.forEach((at, b) => {
        view.open(fetched.bytes, at, fetched.ends[b]!, fetched);
        for (let i = 0; i < view.count; i++) {
          values.push(view.bytes.toString('utf8', view.valueStarts[i]!, view.valueEnds[i]!));
          for (const { name, value } of readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!)) {
            assert.doesNotMatch(`${name} ${value}`, CANARY);
            if (name === 'nf.message') reasons.push(String(value));
          }
        }
      });
      next = fetched.next;
      fetched.release();
    }
  }
  await reader.close();
  await log.close();
  assert.deepEqual(values.sort(), ['{"n":1}', '{"n":2}', '{"password": "canary-value" ?']);
  assert.equal(reasons.length, 3);
  assert.ok(reasons.some((reason) => reason.startsWith('refused: [hidden], token: [hidden]')));
});

const FAILING: readonly (readonly string[])[] = [
  ['run', 'leaky.mjs', '--set', 'run.onFailure=fail', '--set', 'data.folder=other'],
  ['run', 'leaky.mjs', '--config', 'unknown.json'],
  ['run', 'leaky.mjs', '--config', 'broken.json'],
  ['run', 'leaky.mjs', '--set', 'broker.token=canary-option'],
];

for (const args of FAILING) {
  for (const more of [[], ['--json'], ['--verbose']]) {
    test(`the error of ${[...args, ...more].slice(2).join(' ').replaceAll('canary', '...')} shows no secret`, async () => {
      const { said, ended } = start(...args, ...more);
      assert.notEqual(await ended, 0);
      assert.notEqual(said.err, '');
      assert.doesNotMatch(said.out + said.err, CANARY);
    });
  }
}
