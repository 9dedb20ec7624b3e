import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from './clock.ts';
import { aloneIn, lockFolder } from './folder-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'nodeflow-lock-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a folder has one owner, which others are told of, until it is given back', async () => {
  const folder = join(root, 'owned');
  const unlock = await lockFolder(folder, 'the thing');
  await assert.rejects(lockFolder(folder, 'the thing'), (thrown: Error) =>
    thrown.message.startsWith(`the thing in ${folder} is owned by process ${process.pid} (`),
  );
  await unlock();
  await (await lockFolder(folder, 'the thing'))();
});

test('an owner who was held up while it asked who owns the folder hears that it does', async () => {
  const channel = 'net.client.socket';
  const hold = (message: unknown) => {
    // for longer than an answer may take
    const wait = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2100);
    (message as { readonly socket: Socket }).socket.once('connect', wait);
  };
  subscribe(channel, hold);
  try {
    await (await lockFolder(join(root, 'held-up'), 'the thing'))();
  } finally {
    unsubscribe(channel, hold);
  }
});

test('one thing is done at a time, and nothing is left of it, also where it fails', async () => {
  // the longer one is more than the path of a socket may have
  for (const folder of [join(root, 'turn'), join(root, 'x'.repeat(120), 'turn')]) {
    let inside = 0;
    let done = 0;
    const work = async () => {
      assert.equal(++inside, 1);
      await systemClock.sleep(5);
      inside--;
      done++;
    };
    await Promise.all(Array.from({ length: 5 }, () => aloneIn(folder, 'it', systemClock, work)));
    assert.equal(done, 5);
    const failing = aloneIn(folder, 'it', systemClock, async () => {
      throw new Error('failed');
    });
    await assert.rejects(failing, /failed/);
    assert.ok(!existsSync(folder));
  }
});

test('the turn of a process that was killed is over, though its process id may be in use again', async () => {
  const folder = join(root, 'killed');
  const module = JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href);
  const code = `import { lockFolder } from ${module}; await lockFolder(${JSON.stringify(folder)}, 'it'); console.log('has it'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  let isMine = false;
  const turn = aloneIn(folder, 'it', systemClock, async () => {
    isMine = true;
  });
  await systemClock.sleep(120);
  assert.equal(isMine, false);
  child.kill('SIGKILL');
  await turn;
  assert.equal(isMine, true);
  assert.ok(!existsSync(folder));
});
