import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defaultFolder, statusOf } from '../cli/kafka/kafka.ts';
import { isRunning } from '../cli/kafka/machine.ts';
import { servingBrokers } from '../cli/kafka/probe.ts';
import { systemClock } from '../core/clock.ts';
import { canStartBrokers, testBrokers } from './support/brokers.ts';

/** The command as its own process, as users have it, and the brokers that tests are given. */
const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-local-kafka-'));
const folder = defaultFolder(cwd);
const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function say(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, 'kafka', ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (texts.out += chunk));
  child.stderr.on('data', (chunk) => (texts.err += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts })));
}

/** It is there; it may be too busy to answer the first time. */
async function serves(port: number): Promise<void> {
  while ((await servingBrokers(port, systemClock)) !== 1) await systemClock.sleep(50);
}

const lastLine = (text: string) => JSON.parse(text.trim().split('\n').at(-1)!);
const portOf = (address: string) => Number(address.split(':')[1]);

after(async () => {
  await say('down');
  rmSync(cwd, { recursive: true, force: true });
});

if (await canStartBrokers()) {
  test('up, status and down leave neither process nor folder', async () => {
    const first = await say('up', '--json');
    assert.equal(first.code, 0, first.err);
    const { brokers } = lastLine(first.out);
    await serves(portOf(brokers));

    const status = () => statusOf(folder)!.brokers[0]!;
    const { pid, address } = status();
    assert.equal(address, brokers);
    assert.match((await say('status')).out, new RegExp(`broker 1 on ${address}: process ${pid}$`, 'm'));

    assert.match((await say('up')).out, /^running already: /);
    assert.equal(status().pid, pid);
    const other = await say('up', '--brokers', '3');
    assert.equal(other.code, 2);
    assert.match(other.err, /made with other options .*kafka down first/);

    process.kill(pid!, 'SIGKILL');
    while (status().pid !== undefined) await systemClock.turn();
    assert.equal(lastLine((await say('up', '--json')).out).brokers, brokers, 'a dead broker comes back at its address');

    const second = status().pid!;
    assert.match((await say('down')).out, /is removed$/m);
    assert.ok(!isRunning(second, folder));
    assert.deepEqual(readdirSync(cwd), []);
  });

  test('a broker of a test can be killed and started, and ends with its test', async () => {
    const brokers = (await testBrokers({ own: true, set: { 'num.partitions': 3 } }))!;
    const port = portOf(brokers.addresses.brokers);
    await brokers.kill(1);
    assert.equal(await servingBrokers(port, systemClock), 0);
    await brokers.start(1);
    await serves(port);
    await brokers.close();
    assert.equal(await servingBrokers(port, systemClock), 0);
  });

  test('the shared broker cannot be faulted', async () => {
    const brokers = (await testBrokers())!;
    if (process.env['NODEFLOW_TEST_FOLDER'] !== undefined)
      await assert.rejects(brokers.kill(1), /shared with other tests/);
    await brokers.close();
  });
}
