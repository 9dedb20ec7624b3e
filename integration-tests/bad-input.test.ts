import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dataFile } from '../examples/flights/topology.ts';

/** Whatever is wrong ends with one message that names the thing and the cure, and an exit code that is not 0. */
const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-bad-'));
after(() => rmSync(cwd, { recursive: true, force: true }));
const root = new URL('..', import.meta.url).href;
const cli = fileURLToPath(new URL('cli/main.ts', root));
const example = fileURLToPath(new URL('examples/flights/main.ts', root));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(file: string, ...args: readonly string[]): Promise<Ended> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODEFLOW_')));
  const child = spawn(process.execPath, [file, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (texts.out += chunk));
  child.stderr.on('data', (chunk) => (texts.err += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts })));
}

const STACK = /^\s+at .*:\d+:\d+/m;

/** One message, with this code in brackets at its end, that has all these parts; no stack. */
function assertMessage({ code, out, err }: Ended, error: string, ...parts: readonly (string | RegExp)[]): void {
  assert.notEqual(code, 0, `no failure: ${out}`);
  assert.notEqual(code, null, 'ended by a signal');
  assert.equal(out, '');
  assert.match(err, new RegExp(`^nodeflow: [^]*\\[${error.replace('.', '\\.')}\\]\\n$`));
  assert.equal(err.split('nodeflow: ').length, 2, `more than one message: ${err}`);
  assert.doesNotMatch(err, STACK);
  for (const part of parts) {
    if (typeof part === 'string') assert.ok(err.includes(part), `${part} is not in: ${err}`);
    else assert.match(err, part);
  }
}

const parquet = readFileSync(dataFile('flights-3m.parquet'));
writeFileSync(join(cwd, 'cut.parquet'), parquet.subarray(0, 4_000_000));
writeFileSync(join(cwd, 'garbage.parquet'), Buffer.from(parquet).fill(0x5a, 4, 3_000_000));
writeFileSync(
  join(cwd, 'job.mjs'),
  `import { avro, generator, int64, json, parquetFile, string, topic, topology as define } from '${root}index.ts';
const orders = topic('orders', { key: string(), value: json(), partitions: 2 });
const out = topic('out', { key: string(), value: json(), partitions: 2 });
export const topology = define('orders');
topology.read(generator({ count: 20, make: (n) => ({ n }) }), {
  name: 'made', key: (o) => 'k' + (o.n % 3), keySerde: string(), value: json(), time: (o) => o.n,
}).to(orders);
export const missing = define('missing');
missing.stream(topic('payments', { key: string(), value: json(), partitions: 2 })).filter(() => true).to(out);
export const wider = define('wider');
const wide = { key: string(), value: json(), partitions: 3 };
wider.stream(topic('orders', wide)).filter(() => true).to(topic('wide', wide));
const order = avro({ type: 'record', name: 'Order', fields: [{ name: 'who', type: 'string' }] });
export const mismatch = define('mismatch');
mismatch.stream(topic('orders', { key: string(), value: order, partitions: 2 })).filter((o) => o.who !== '')
  .to(topic('avro-out', { key: string(), value: order, partitions: 2 }));
function file(name, path) {
  const job = define(name);
  job.read(parquetFile(path, { columns: ['delay', 'origin'] }), {
    name: 'file', key: (row) => row.origin, keySerde: string(), value: json(), time: () => 0,
  }).to(out);
  return job;
}
export const absent = file('absent', 'not-there.parquet');
export const cut = file('cut', 'cut.parquet');
export const garbage = file('garbage', 'garbage.parquet');
`,
);
writeFileSync(
  join(cwd, 'schema.mjs'),
  `import { avro } from '${root}index.ts';
export const topology = avro({ type: 'record', name: 'Order', fields: [{ name: 'n', type: 'lnog' }] });
`,
);
writeFileSync(join(cwd, 'key.json'), '{ "run": { "workrs": 2 } }');

const job = (name: string, ...more: readonly string[]) =>
  run(cli, 'run', 'job.mjs', '--name', name, '--until', 'end', ...more);

test('topics and schemas that do not fit', async () => {
  const first = await run(cli, 'run', 'job.mjs');
  assert.equal(first.code, 0, first.err);
  assertMessage(await job('missing'), 'topic.missing', 'payments', /create/i);
  assertMessage(await job('wider'), 'topic.partitions', 'orders', '2', '3');
  assertMessage(await job('mismatch'), 'record.undecodable', /orders\/\d/, 'position');
  assertMessage(await run(cli, 'run', 'schema.mjs'), 'schema.invalid', 'lnog');
  assertMessage(await run(cli, 'consume', 'orders', '--value-serde', 'avor'), 'serde.unknown', 'avor', 'json');
  assertMessage(await run(cli, 'consume', 'ordesr'), 'topic.missing', 'ordesr', 'did you mean orders?');
  const told = await job('missing', '--verbose');
  assert.match(told.err, STACK);
});

test('files that are not there or broken', async () => {
  assertMessage(await job('absent'), 'file.missing', 'not-there.parquet', 'check the path');
  assertMessage(await job('cut'), 'file.broken', 'cut.parquet', 'fetch');
  assertMessage(await job('garbage'), 'file.broken', 'garbage.parquet', 'fetch');
  assertMessage(await run(cli, 'run', 'none.mjs'), 'file.missing', 'none.mjs', 'check the path');
});

test('options and configuration keys that are not known', async () => {
  assertMessage(await run(cli, 'run', 'job.mjs', '--wrokers', '2'), 'option.unknown', '--wrokers', 'workers');
  assertMessage(await run(cli, 'rnu', 'job.mjs'), 'option.unknown', 'rnu', 'did you mean run?');
  assertMessage(
    await run(cli, 'run', 'job.mjs', '--config', 'key.json'),
    'config.invalid',
    'run.workrs',
    'run.workers',
  );
  assertMessage(await run(cli, 'run', 'job.mjs', '--set', 'run.workers=many'), 'config.invalid', 'run.workers', 'many');
  assertMessage(await run(example, '--jsn'), 'option.unknown', '--jsn', '--json');
  assertMessage(await run(example, '--data'), 'option.unknown', '--data', '<folder>');
});
