import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { runCommandLine } from './cli.ts';
import { say } from './testing.fixture.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-registered-'));
after(() => rmSync(cwd, { recursive: true }));
const root = new URL('..', import.meta.url).href;

/** An application whose orders a registry keeps; `field` is one more of them. */
function writeShop(name: string, field: string): void {
  writeFileSync(
    join(cwd, name),
    `import { avro, generator, int64, registered, string, topic, topology as define } from '${root}index.ts';
const order = registered(avro({ type: 'record', name: 'Order', fields: [{ name: 'n', type: 'int' }${field}] }));
const orders = topic('orders', { key: string(), value: order, partitions: 2 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });
export const topology = define('shop');
topology.read(generator({ count: 20, make: (n) => ({ n, note: 'x' }) }), {
  name: 'made', key: (o) => 'k' + (o.n % 3), keySerde: string(), value: order, time: (o) => o.n,
}).to(orders);
topology.stream(orders).filter((o) => o.n > 9).groupByKey().count({ store: 'n' }).toStream().to(counts);
`,
  );
}
writeShop('shop.mjs', '');

test('without a registry of its own an application has one in its log, in every thread', {
  timeout: 600_000,
}, async () => {
  const run = await say(cwd, ['run', 'shop.mjs', '--workers', '2']);
  assert.equal(run.code, 0, run.err.join('\n'));
  const consume = ['consume', 'orders', '--topology', 'shop.mjs', '--json'];
  const read = await say(cwd, consume);
  assert.equal(read.out.length, 20);
  assert.deepEqual(Object.keys((JSON.parse(read.out[0]!) as { value: object }).value), ['n']);
  const line = JSON.stringify({ key: 'k0', value: { n: 99 } });
  const wrote = await say(cwd, ['produce', 'orders', '--topology', 'shop.mjs'], {}, [`${line}\n`]);
  assert.deepEqual([wrote.code, wrote.err], [0, []]);
  assert.equal((await say(cwd, consume)).out.length, 21);
});

test('a version that does not go with its subject is refused by topic, subject and field', async () => {
  writeShop('wanted.mjs', `, { name: 'note', type: 'string' }`);
  const refused = await say(cwd, ['run', 'wanted.mjs']);
  assert.equal(refused.code, 2);
  const text = refused.err.join('\n');
  for (const part of ['topic orders', 'subject orders-value', 'Order.note', 'BACKWARD', '[registry.incompatible]']) {
    assert.ok(text.includes(part), text);
  }
  const looked = await say(cwd, ['doctor', 'wanted.mjs']);
  assert.equal(looked.code, 1);
  assert.ok(
    looked.out.some((line) => /BAD {2}Schema: value of topic orders, .*Order\.note/.test(line)),
    looked.out.join('\n'),
  );
  assert.ok(!(await say(cwd, ['doctor', 'shop.mjs'])).out.some((line) => line.includes('BAD  Schema')));
});

test('nodeflow registry serves until it is stopped, and another application finds its schemas there', async () => {
  const stop = new AbortController();
  const said = Promise.withResolvers<string>();
  const served = runCommandLine(['registry', '--port', '0', '--json', '--data', 'registry'], {
    ...{ cwd, env: {}, clock: systemClock, input: Readable.from([]), over: undefined, stop: stop.signal },
    out: (line) => said.resolve(line),
    err: (line) => said.reject(new Error(line)),
  });
  const { url } = JSON.parse(await said.promise) as { url: string };
  const env = { NODEFLOW_REGISTRY_URL: url };
  const run = await say(cwd, ['run', 'shop.mjs', '--data', 'elsewhere'], env);
  assert.equal(run.code, 0, run.err.join('\n'));
  assert.deepEqual(await (await fetch(`${url}/subjects`)).json(), ['orders-value']);
  stop.abort();
  assert.equal(await served, 0);
  const away = await say(cwd, ['consume', 'orders', '--topology', 'shop.mjs', '--data', 'elsewhere'], {
    ...env,
    NODEFLOW_REGISTRY_PATIENCE: '50ms',
  });
  assert.equal(away.code, 3);
  assert.match(
    away.err.join(),
    /the schema registry http:\/\/127\.0\.0\.1:\d+ has not answered for 50 ms: .*\[registry\.unreachable\]/,
  );
});
