import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { parseCall } from '../parse.ts';
import { say } from '../testing.fixture.ts';
import { kafka, settingsOf } from './kafka.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-kafka-command-'));
after(() => rmSync(cwd, { recursive: true }));

const world = {
  ...{
    cwd,
    env: {},
    clock: new VirtualClock(),
    over: undefined,
    input: Readable.from([]),
    stop: new AbortController().signal,
  },
  ...{ out: () => undefined, err: () => undefined },
};
const settings = (...args: readonly string[]) => settingsOf(parseCall(kafka, ['up', ...args], world));

test('options become the settings of a cluster', () => {
  assert.deepEqual(settings(), { brokers: 1, secure: false, heap: undefined, advertise: [], extra: [] });
  const extra = settings('--set', 'a.b=1', '--set', 'c=d=e').extra;
  assert.deepEqual(extra, [
    ['a.b', '1'],
    ['c', 'd=e'],
  ]);
  assert.equal(settings('--release', '3.9.1').release, '3.9.1');
  assert.deepEqual(settings('--brokers', '3', '--advertise-port', '40').advertise, [
    '127.0.0.1:40',
    '127.0.0.1:41',
    '127.0.0.1:42',
  ]);
  assert.deepEqual(settings('--advertise', 'proxy:1', '--heap', '1g', '--secure'), {
    brokers: 1,
    secure: true,
    heap: '1g',
    advertise: ['proxy:1'],
    extra: [],
  });
});

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [['start'], /kafka takes up, status or down, not start; see nodeflow help kafka \[option\.unknown\]/],
  [['up', '--brokers', '2'], /--brokers takes 1 or 3, not 2/],
  [['up', '--release', 'newest'], /--release takes a version such as 3\.7\.2, not newest/],
  [['up', '--heap', 'much'], /--heap takes a size such as 1g, not much/],
  [['up', '--port', 'x'], /--port takes a whole number, not x/],
  [['up', '--brokers', '3', '--advertise', 'a:1,b:2'], /one host:port for each of 3 brokers, not a:1,b:2/],
  [['up', '--set', 'novalue'], /--set takes key=value, not novalue/],
  [['up'], /there is no java on the path; install Java 17 or newer .* \[tool\.missing\]/],
];
for (const [args, message] of WRONG) {
  test(`one message for kafka ${args.join(' ')}`, async () => {
    const said = await say(cwd, ['kafka', ...args], { PATH: cwd });
    assert.equal(said.code, 2);
    assert.equal(said.err.length, 1, said.err.join('\n'));
    assert.match(said.err[0]!, message);
    assert.deepEqual(readdirSync(cwd), [], 'nothing is left of it');
  });
}

test('status and down of nothing say so', async () => {
  assert.match((await say(cwd, ['kafka', 'status'])).out[0]!, /^there is no cluster in .*; start one with/);
  assert.deepEqual(JSON.parse((await say(cwd, ['kafka', 'status', '--json'])).out[0]!).processes, []);
  assert.match((await say(cwd, ['kafka', 'down'])).out[0]!, /^there is no cluster in /);
  assert.deepEqual(JSON.parse((await say(cwd, ['kafka', 'down', '--json'])).out[0]!), { stopped: false });
});
