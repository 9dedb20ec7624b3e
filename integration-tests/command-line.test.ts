import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The command line as its own process, on a file log, as users have it. */
const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-commands-'));
after(() => rmSync(cwd, { recursive: true, force: true }));
const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const root = new URL('..', import.meta.url).href;

writeFileSync(
  join(cwd, 'shop.mjs'),
  `import { generator, int64, json, string, topic, topology as define } from '${root}index.ts';
const orders = topic('orders', { key: string(), value: json(), partitions: 2 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });
export const topology = define('shop');
topology.read(generator({ count: 300, make: (n) => ({ who: 'k' + (n % 3), n }) }), {
  name: 'made', key: (o) => o.who, keySerde: string(), value: json(), time: (o) => o.n,
}).to(orders);
topology.stream(orders).groupByKey().count({ store: 'n' }).toStream().to(counts);
export const wider = define('wider');
wider.stream(topic('orders', { key: string(), value: json(), partitions: 3 })).filter(() => true)
  .to(topic('out', { key: string(), value: json(), partitions: 3 }));
export const failing = define('failing');
failing.stream(orders).filter((o) => o.n < 2).mapValues(() => { throw new Error('password=canary-31'); })
  .to(topic('out', { key: string(), value: json(), partitions: 2 }));
export const follower = define('follower');
follower.stream(orders).filter((o) => o.n > 5).to(topic('late-orders', { key: string(), value: json(), partitions: 2 }));
`,
);

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: clean() });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (texts.out += chunk));
  child.stderr.on('data', (chunk) => (texts.err += chunk));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...texts })));
  const said = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(texts.err);
        if (match !== null) resolve(match);
      };
      child.stderr.on('data', look);
      child.on('close', () => reject(new Error(`ended without ${pattern}: ${texts.err}`)));
      look();
    });
  return { child, ended, said };
}

function clean(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODEFLOW_')));
}

const done = (...args: readonly string[]) => start(args).ended;

test('run, topics, consume and doctor on a file log', async () => {
  const run = await done('run', 'shop.mjs', '--json');
  assert.equal(run.code, 0, run.err);
  const outcome = JSON.parse(run.out);
  assert.equal(outcome.application, 'shop');
  assert.equal(outcome.outcome, 'complete');

  const topics = await done('topics', '--json');
  const rows = topics.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.map(({ topic }) => topic),
    ['counts', 'orders'],
  );

  const counts = await done('consume', 'counts', '--topology', 'shop.mjs', '--key', 'k1', '--json');
  const values = counts.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(values.at(-1).value, 100);
  assert.ok(values.every(({ key }) => key === 'k1'));

  const few = await done('consume', 'orders', '--limit', '2', '--partition', '1', '--from', '5');
  assert.match(few.out, /^1\/5 /);
  assert.equal(few.out.trim().split('\n').length, 2);

  const described = JSON.parse((await done('topics', 'describe', 'orders', '--json')).out);
  assert.equal(described.settings.partitions, 2);

  const doctor = await done('doctor', 'shop.mjs');
  assert.match(doctor.out, /^ok {3}Topic orders: 2 partitions$/m);
  assert.equal(doctor.code, 0, doctor.out);

  const missing = await done('consume', 'ordres');
  assert.equal(missing.code, 2);
  assert.match(missing.err, /^nodeflow: there is no topic ordres; did you mean orders\? \[topic\.missing\]\n$/);

  const wrong = await done('consume', 'orders', '--value-serde', 'int64');
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /the value of orders\/\d at position \d+ is no int64; choose another with --value-serde/);

  const wider = await done('run', 'shop.mjs', '--name', 'wider');
  assert.equal(wider.code, 2);
  assert.match(wider.err, /orders.*\[topic\.partitions\]/s);
});

test('a failing operator ends the run, or fills the dead letters, and shows no secret', async () => {
  assert.equal((await done('run', 'shop.mjs', '--data', 'three')).code, 0);
  const run = ['run', 'shop.mjs', '--name', 'failing', '--data', 'three', '--until', 'end', '--json'];
  const failed = await done(...run);
  assert.equal(failed.code, 1);
  assert.equal(JSON.parse(failed.err.trim().split('\n').at(-1)!).error, 'record.failed');
  const passed = await done(...run, '--set', 'run.onFailure=dead-letter');
  assert.equal(passed.code, 0, passed.err);
  const letters = await done('consume', 'nf.failing.dead-letters', '--data', 'three', '--json');
  const rows = letters.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(rows.map(({ value }) => value.n).sort(), [0, 1]);
  assert.ok(rows.every(({ headers }) => headers['nf.reason'] === 'failed' && headers['nf.topic'] === 'orders'));
  for (const { out, err } of [failed, passed, letters]) assert.doesNotMatch(out + err, /canary-31/);
});

test('an application on a topic serves metrics, keeps others out of its folder, and ends on SIGTERM', async () => {
  const first = await done('run', 'shop.mjs', '--data', 'two');
  assert.equal(first.code, 0, first.err);
  const running = start(['run', 'shop.mjs', '--name', 'follower', '--data', 'two', '--metrics-port', '0']);
  const [, port] = await running.said(/metrics on http:\/\/127\.0\.0\.1:(\d+)\/metrics/);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  assert.equal((await get('/healthz')).status, 200);
  while ((await get('/readyz')).status !== 200) assert.equal(running.child.exitCode, null, 'it is ready in the end');
  const metrics = await (await get('/metrics')).text();
  assert.match(metrics, /^nodeflow_application_records_total\{application="follower"\} \d+$/m);

  const second = await done('topics', '--data', 'two');
  assert.equal(second.code, 2);
  assert.match(second.err, new RegExp(`process ${running.child.pid}.*\\[log\\.locked\\]`));

  running.child.kill('SIGTERM');
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.err);
  assert.match(ended.out, /^follower: drained, /);
});
