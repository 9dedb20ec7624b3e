import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Said, say } from '../cli/testing.fixture.ts';
import { openEngine } from '../cli/wire.ts';
import { systemClock } from '../core/clock.ts';
import { loadLibrary } from '../log/kafka/library.ts';
import type { LogAdmin } from '../log/log.ts';
import { testBrokers } from './support/brokers.ts';

/** The command line on a Kafka cluster: what it tells, and what it says where something is wrong. */
const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-commands-kafka-'));
const root = new URL('..', import.meta.url).href;
const main = fileURLToPath(new URL('cli/main.ts', root));
const [USER, PASSWORD] = ['alice', 'alice-secret'];

const brokers = await testBrokers({
  secure: true,
  set: {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  },
});
after(async () => {
  await brokers?.close();
  rmSync(cwd, { recursive: true, force: true });
});

writeFileSync(
  join(cwd, 'shop.mjs'),
  `import { int64, json, string, topic, topology as define } from '${root}index.ts';
const orders = topic('orders', { key: string(), value: json(), partitions: 3 });
export const topology = define('shop');
topology.stream(orders).groupByKey().count({ store: 'n' }).toStream()
  .to(topic('counts', { key: string(), value: int64(), partitions: 3 }));
export const other = define('shop');
other.stream(orders).filter(() => true).to(topic('copies', { key: string(), value: json(), partitions: 3 }));
export const early = define('early');
early.stream(orders).filter(() => true).to(topic('untouched', { key: string(), value: json(), partitions: 3 }));
export const wider = define('wider');
wider.stream(topic('orders', { key: string(), value: json(), partitions: 4 })).filter(() => true)
  .to(topic('wide', { key: string(), value: json(), partitions: 4 }));
`,
);

if (brokers !== undefined) {
  const { addresses } = brokers;
  const onCluster = (args: readonly string[], input: readonly string[] = []) =>
    say(cwd, args, { NODEFLOW_BROKERS: addresses.brokers }, input);
  const told = async (...args: readonly string[]) => {
    const said = await onCluster([...args, '--json']);
    assert.equal(said.code, 0, said.err.join('\n'));
    return said.out.map((line) => JSON.parse(line));
  };
  const admin = async (use: (admin: LogAdmin) => Promise<void>) => {
    const engine = await openEngine({ brokers: addresses.brokers });
    await use(engine.log.admin);
    await engine.close();
  };
  const positions = async (): Promise<readonly number[]> => {
    const [{ partitions }] = await told('groups', 'shop');
    return partitions.map(({ position }: { readonly position: number }) => position);
  };
  await admin((all) => all.create('orders', { partitions: 3 }));

  test('produce, topics and consume', async () => {
    const line = (key: string, n: number) =>
      `{"key":"${key}","value":{"n":${n}},"timestamp":${1000 * n},"headers":{"h":"${n}"}}\n`;
    const lines = ['a', 'b', 'c', 'f'].flatMap((key, k) => [1, 2, 3].map((n) => line(key, 10 * k + n)));
    assert.deepEqual(JSON.parse((await onCluster(['produce', 'orders', '--json'], lines)).out[0]!), {
      topic: 'orders',
      records: 12,
    });
    const [topics] = await told('topics');
    assert.deepEqual(topics, { topic: 'orders', partitions: 3, positions: 12, cleanup: 'none' });
    const rows = await told('consume', 'orders', '--key', 'b');
    assert.deepEqual(
      rows.map(({ value, timestamp, headers }) => [value.n, timestamp, headers.h]),
      [11, 12, 13].map((n) => [n, 1000 * n, String(n)]),
    );
    assert.equal((await told('consume', 'orders', '--limit', '5')).length, 5);
    assert.deepEqual(await told('consume', 'orders', '--from', 'end'), []);
    assert.match((await onCluster(['consume', 'ordres'])).err[0]!, /there is no topic ordres; did you mean orders\?/);
    assert.match((await onCluster(['produce', 'ordres'], ['{}'])).err[0]!, /there is no topic ordres/);
  });

  test('groups and reset, while an application runs and when it has ended', { timeout: 600_000 }, async (t) => {
    const env = { ...process.env, NODEFLOW_BROKERS: addresses.brokers };
    const running = spawn(process.execPath, [main, 'run', 'shop.mjs'], { cwd, env, stdio: 'ignore' });
    t.after(() => running.kill('SIGKILL'));
    const ended = new Promise<number | null>((resolve) => running.on('close', resolve));
    const allRead = async () => {
      const list = await told('groups');
      if (!list.some(({ group, state }) => group === 'shop' && state === 'active')) return false;
      const [{ partitions, lag, members }] = await told('groups', 'shop');
      const read = partitions.reduce((sum: number, { position }: { readonly position: number }) => sum + position, 0);
      return read === 12 && lag === 0 && members[0].tasks.length === 3;
    };
    while (!(await allRead())) await systemClock.sleep(200);
    const listed = (await told('groups')).find(({ group }) => group === 'shop');
    assert.deepEqual(listed, { group: 'shop', state: 'active', members: 1, partitions: 3, application: true });

    const preview = await onCluster(['reset', 'shop', '--to-earliest']);
    assert.match(preview.out.join('\n'), /12 positions are read again, 0 are skipped/);
    assert.match(preview.out.at(-1)!, /nothing was done: group shop has members: shop-\S+; stop them first/);
    for (const how of ['--to-earliest', '--all']) {
      assertMessage(await onCluster(['reset', 'shop', how, '--yes']), 'log.locked', 2, 'group shop has members');
    }
    const other = await onCluster(['run', 'shop.mjs', '--name', 'other', '--data', 'other']);
    assertMessage(other, 'plan.mismatch', 2, 'another topology is running under the name shop', 'stop it first');

    running.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal((await positions()).length, 3);
    await onCluster(['produce', 'orders'], ['{"key":"a","value":{"n":9},"timestamp":61000}\n']);
    const [{ lag, lagMs, state, members }] = await told('groups', 'shop');
    assert.deepEqual({ lag, lagMs, state, members }, { lag: 1, lagMs: 0, state: 'empty', members: [] });

    assert.equal((await told('reset', 'shop', '--to-latest', '--yes'))[0].done, true);
    assert.equal((await told('groups', 'shop'))[0].lag, 0);
    await told('reset', 'shop', '--to-datetime', '1970-01-01T00:01:00Z', '--yes');
    assert.equal((await told('groups', 'shop'))[0].lag, 1);
    await told('reset', 'shop', '--to-earliest', '--yes');
    assert.deepEqual(await positions(), [0, 0, 0]);
    const [{ topics }] = await told('reset', 'shop', '--all', '--outputs', '--topology', 'shop.mjs', '--yes');
    assert.ok(topics.includes('counts') && topics.includes('nf.shop.n.changelog'), topics.join());
    const left = (await told('topics', '--internal')).map(({ topic }) => topic as string);
    assert.ok(left.includes('orders') && !left.includes('counts'));
    assert.ok(!left.some((topic) => topic.startsWith('nf.shop.')), left.join());
  });

  test('a process whose clock is far off is refused before it has done anything', async () => {
    // the clock of the whole process, since the command line takes no other
    const off = 'data:text/javascript,const now = Date.now; Date.now = () => now() - 60_000;';
    const env = { ...process.env, NODEFLOW_BROKERS: addresses.brokers };
    const run = (...more: readonly string[]) => {
      const args = ['--import', off, main, 'run', 'shop.mjs', '--name', 'early', '--data', 'off', ...more];
      const child = spawn(process.execPath, args, { cwd, env });
      const err: string[] = [];
      child.stderr.on('data', (chunk) => err.push(String(chunk)));
      return new Promise<Said>((resolve) => {
        child.on('exit', (code) => resolve({ code: code ?? -1, out: [], err: err.join('').trimEnd().split('\n') }));
      });
    };
    for (const driver of ['kafka', 'kafkajs']) {
      const said = await run('--set', `log.driver=${driver}`, '--set', 'run.guarantee=at-least-once');
      assertMessage(said, 'kafka.clock', 2, /controller 1 is \d+ ms ahead of ours/, 'set both by NTP');
    }
    assert.ok(!(await told('topics')).some(({ topic }) => topic === 'untouched'));
  });

  test('doctor tells what is right, and what is wrong with its cure', async () => {
    const right = await onCluster(['doctor', 'shop.mjs']);
    assert.equal(right.code, 0, right.out.join('\n'));
    for (const line of [
      /^ok {3}Broker 1: answers at /m,
      /^ok {3}Clock: that of controller 1 /m,
      /orders: 3 partitions$/m,
    ]) {
      assert.match(right.out.join('\n'), line);
    }
    const wrong = await onCluster(['doctor', 'shop.mjs', '--name', 'wider', '--set', 'kafka.replication=3']);
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.out.join('\n'),
      /^BAD {2}Topic orders: .*3 partitions where the plan says 4; change the topology/m,
    );
    assert.match(
      wrong.out.join('\n'),
      /^BAD {2}Copies: kafka\.replication is 3 where there are 1 brokers; add brokers/m,
    );
    const nowhere = await say(cwd, ['doctor'], { NODEFLOW_BROKERS: '127.0.0.1:1', NODEFLOW_KAFKA_PATIENCE: '1s' });
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.out.at(-1)!, /^BAD {2}Log: no broker of the cluster at 127\.0\.0\.1:1 could be reached/);
  });

  const signIn = { 'kafka.mechanism': 'SCRAM-SHA-512', 'kafka.username': USER, 'kafka.password': PASSWORD };
  const { sasl, ssl, saslSsl, ca } = addresses as Required<typeof addresses>;
  writeFileSync(join(cwd, 'no.pem'), 'nothing');
  const REFUSED: readonly (readonly [string, { readonly [key: string]: string }, string, number, readonly RegExp[]])[] =
    [
      [
        'a wrong address',
        { brokers: '127.0.0.1:1', 'kafka.patience': '3s' },
        'kafka.unreachable',
        3,
        [/127\.0\.0\.1:1/, /check the addresses/],
      ],
      ['no address', { brokers: 'host:port' }, 'config.invalid', 2, [/"host:port" is no address; write host:port/]],
      [
        'a wrong password',
        { brokers: sasl, ...signIn, 'kafka.password': 'no' },
        'kafka.credentials',
        2,
        [/SCRAM-SHA-512/, /check user and secret/],
      ],
      ['no credentials', { brokers: sasl }, 'kafka.credentials', 2, [/wants credentials; give sasl, kafka\.mechanism/]],
      [
        'half of the credentials',
        { brokers: sasl, 'kafka.mechanism': 'PLAIN', 'kafka.username': USER },
        'config.invalid',
        2,
        [/kafka\.password; set it/],
      ],
      [
        'credentials that nobody wants',
        { ...signIn, brokers: addresses.brokers },
        'kafka.credentials',
        2,
        [/only there/],
      ],
      ['no TLS where it is wanted', { brokers: ssl }, 'kafka.security', 2, [/turn TLS on or off \(kafka\.tls\)/]],
      [
        'no TLS, at the sign-in',
        { brokers: saslSsl, ...signIn },
        'kafka.security',
        2,
        [/closed while signing in/, /kafka\.tls/],
      ],
      [
        'TLS where there is none',
        { brokers: addresses.brokers, 'kafka.tls': 'on' },
        'kafka.security',
        2,
        [/kafka\.tls/],
      ],
      [
        'an authority that is not known',
        { brokers: saslSsl, ...signIn, 'kafka.tls': 'on' },
        'kafka.security',
        2,
        [/certificate/, /\(kafka\.ca\)/],
      ],
      [
        'no certificate of our own',
        { brokers: ssl, 'kafka.ca': ca },
        'kafka.security',
        2,
        [/alert/, /kafka\.certificate/],
      ],
      [
        'a file that is not there',
        { brokers: ssl, 'kafka.ca': 'gone.pem' },
        'file.missing',
        2,
        [/kafka\.ca names gone\.pem/],
      ],
      [
        'a file that is no PEM',
        { brokers: ssl, 'kafka.ca': 'no.pem' },
        'file.broken',
        2,
        [/kafka\.ca names no\.pem, which is no PEM/],
      ],
      [
        'a topic without rights',
        { brokers: sasl, ...signIn },
        'kafka.rights',
        2,
        [/topic orders/, /grant the user Read/],
      ],
    ];
  for (const [name, config, code, exit, parts] of REFUSED) {
    test(`one message and exit code ${exit} for ${name}`, async () => {
      const set = Object.entries({ 'kafka.patience': '30s', ...config }).flatMap(([key, value]) => [
        '--set',
        `${key}=${value}`,
      ]);
      const said = await say(cwd, ['consume', 'orders', ...set]);
      assertMessage(said, code, exit, ...parts);
      assert.doesNotMatch(said.err.join('\n'), new RegExp(PASSWORD));
    });
  }

  test('each right that is missing is told by the name of what it is for', { timeout: 600_000 }, async () => {
    const set = Object.entries({ brokers: sasl, ...signIn }).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const run = () => say(cwd, ['run', 'shop.mjs', '--until', 'end', '--data', 'rights', ...set]);
    const [TOPIC, GROUP, TRANSACTIONAL_ID] = [2, 3, 5] as const;
    assertMessage(await run(), 'kafka.rights', 2, /group nf\.shop\.turn/, 'on the group');
    await grant(addresses.brokers, GROUP);
    assertMessage(await run(), 'kafka.rights', 2, /topic (orders|counts|nf\.shop\.\S+)/, 'grant the user Read');
    await grant(addresses.brokers, TOPIC);
    assertMessage(await run(), 'kafka.rights', 2, /transactional id shop-/, 'on the transactional id');
    await grant(addresses.brokers, TRANSACTIONAL_ID);
    const done = await run();
    assert.equal(done.code, 0, done.err.join('\n'));
    const copies = await onCluster(['run', 'shop.mjs', '--name', 'wider', '--set', 'kafka.replication=3']);
    assertMessage(copies, 'topic.partitions', 2, 'orders');
  });

  for (const driver of ['kafka', 'kafkajs']) {
    test(`topics of the application with fewer copies than asked for, by ${driver}`, async () => {
      const set = ['kafka.replication=3', `log.driver=${driver}`, 'run.guarantee=at-least-once'];
      const said = await onCluster(['run', 'shop.mjs', '--until', 'end', ...set.flatMap((each) => ['--set', each])]);
      const parts = ['has 1 copy of a partition where kafka.replication is 3', 'kafka-reassign-partitions.sh'];
      assertMessage(said, 'topic.settings', 2, 'topic nf.shop.n.changelog', ...parts, 'or ask for 1');
      assert.doesNotMatch(said.err.join('\n'), /topic orders has/);
    });
  }

  test('more copies than brokers', async () => {
    await onCluster(['reset', 'shop', '--all', '--yes']);
    const said = await onCluster(['run', 'shop.mjs', '--set', 'kafka.replication=3', '--until', 'end']);
    assertMessage(said, 'kafka.replication', 2, 'add brokers, or ask for fewer copies (kafka.replication)');
  });
}

/** One message with its code and no stack; a stack with `--verbose` is for cli.test.ts. */
function assertMessage({ code, out, err }: Said, error: string, exit: number, ...parts: readonly (string | RegExp)[]) {
  const text = err.join('\n');
  assert.ok(text.endsWith(`[${error}]`), `${text}\n${out.join('\n')}`);
  assert.equal(code, exit);
  assert.equal(text.split('nodeflow: ').length, 2, text);
  assert.doesNotMatch(text, /^ +at /m);
  for (const part of parts) {
    if (typeof part === 'string') assert.ok(text.includes(part), `${part} is not in: ${text}`);
    else assert.match(text, part);
  }
}

/** Everything on all topics, groups or transactional ids. */
async function grant(place: string, resourceType: 2 | 3 | 5): Promise<void> {
  const [ALL, ALLOW, LITERAL] = [2, 3, 3] as const;
  const library = await loadLibrary();
  const connection = new library.Connection('rights');
  const [host, port] = place.split(':') as [string, string];
  await connection.connect(host, Number(port));
  const right = { resourceType, resourceName: '*', resourcePatternType: LITERAL, principal: `User:${USER}`, host: '*' };
  await library.createAclsV3.api.async(connection, [{ ...right, operation: ALL, permissionType: ALLOW }]);
  await connection.close();
}
