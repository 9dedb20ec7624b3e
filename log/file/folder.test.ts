import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { batchHeader } from '../batch.ts';
import { Bench, batch, batchAt, refuses } from '../conformance/bench.conformance.ts';
import type { Log } from '../log.ts';
import { createFileLog } from './file.ts';
import { SimulatedDisk } from './simulated-disk.fixture.ts';

const clock = new VirtualClock(1_700_000_000_000);
const options = { maintainMs: 0 };

async function newFolder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeflow-folder-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function bench(log: Log): Bench {
  return new Bench({ log, clock, close: async () => undefined });
}

test('a second owner is refused by name, in this process and in another', async (t) => {
  const directory = await newFolder(t);
  const log = await createFileLog({ directory, clock, options });
  const message = await refuses('log.locked', createFileLog({ directory, clock, options }));
  assert.match(message, new RegExp(`process ${process.pid} `));
  await log.close();
  await (await createFileLog({ directory, clock, options })).close();
});

test('positions that were set from outside are there again after a crash', async (t) => {
  const directory = await newFolder(t);
  const copy = await newFolder(t);
  const log = await createFileLog({ directory, clock, options });
  await log.admin.create('input', { partitions: 1 });
  await log.admin.setPositions('g', [{ topic: 'input', partition: 0, position: 3, metadata: 'm' }]);
  await cp(directory, copy, { recursive: true, filter: (path) => !path.endsWith('owner.sock') });
  await log.close();
  const again = await createFileLog({ directory: copy, clock, options });
  assert.deepEqual(await again.committed('g', [{ topic: 'input', partition: 0 }]), [{ position: 3, metadata: 'm' }]);
  await again.close();
});

test('positions that a producer without transactions sent are there again after a crash', async (t) => {
  const directory = await newFolder(t);
  const copy = await newFolder(t);
  const log = await createFileLog({ directory, clock, options });
  await log.admin.create('input', { partitions: 1 });
  const { member } = await bench(log).join({ group: 'g' });
  const producer = await log.producer({});
  await producer.sendPositions(member.identity, [{ topic: 'input', partition: 0, position: 3, metadata: 'm' }]);
  await cp(directory, copy, { recursive: true, filter: (path) => !path.endsWith('owner.sock') });
  await log.close();
  const again = await createFileLog({ directory: copy, clock, options });
  assert.deepEqual(await again.committed('g', [{ topic: 'input', partition: 0 }]), [{ position: 3, metadata: 'm' }]);
  await again.close();
});

test('the lock of a killed process is taken over, also when its socket is left behind', async (t) => {
  const directory = await newFolder(t);
  const script = `
    import { createFileLog } from ${JSON.stringify(new URL('./file.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../../core/clock.ts', import.meta.url).href)};
    await createFileLog({ directory: ${JSON.stringify(directory)}, clock: systemClock });
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const message = await refuses('log.locked', createFileLog({ directory, clock, options }));
  assert.match(message, new RegExp(`process ${child.pid} `));
  // Somebody cleans up the socket of a living owner: its start time still speaks for it.
  if (process.platform === 'linux') {
    await rm(join(directory, 'owner.sock'));
    await refuses('log.locked', createFileLog({ directory, clock, options }));
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await createFileLog({ directory, clock, options })).close();
});

test('a process id that was used again is no owner', async (t) => {
  const directory = await newFolder(t);
  await (await createFileLog({ directory, clock, options })).close();
  const owner = { pid: process.ppid, started: '1', command: 'long gone', nonce: 'n' };
  await writeFile(join(directory, 'owner.json'), JSON.stringify(owner));
  await (await createFileLog({ directory, clock, options })).close();
});

test('everything is there after a clean close', async (t) => {
  const directory = await newFolder(t);
  let log = await createFileLog({ directory, clock, options });
  await log.admin.create('t', { partitions: 1, segmentBytes: 400 });
  const producer = await log.producer({ transactionalId: 'x' });
  const { member } = await bench(log).join({ group: 'g' });
  for (let i = 0; i < 10; i++) {
    producer.begin();
    await producer.append('t', 0, batch(`k=${i}`, `l=${i}`));
    await producer.sendPositions(member.identity, [{ topic: 't', partition: 0, position: i, metadata: `m${i}` }]);
    if (i === 4) await producer.abort();
    else await producer.commit();
  }
  const { generation } = member.identity;
  const id = (await log.admin.describe('t'))!.id;
  const rows = await bench(log).read('t');
  await log.close();
  log = await createFileLog({ directory, clock, options });
  assert.deepEqual(await bench(log).read('t'), rows);
  assert.equal((await log.admin.describe('t'))!.id, id);
  assert.deepEqual(await log.committed('g', [{ topic: 't', partition: 0 }]), [{ position: 9, metadata: 'm9' }]);
  const { member: next } = await bench(log).join({ group: 'g' });
  assert.ok(next.identity.generation > generation, 'generations go on');
  await log.close();
});

test('a topic deleted under an open transaction takes nothing else down', async (t) => {
  const directory = await newFolder(t);
  const log = await createFileLog({ directory, clock, options: { ...options, embedBytes: 0 } });
  await log.admin.create('gone', { partitions: 1 });
  await log.admin.create('stays', { partitions: 1 });
  const producer = await log.producer({ transactionalId: 'x' });
  producer.begin();
  await producer.append('gone', 0, batch('k=1'));
  await producer.append('stays', 0, batch('k=2'));
  await log.admin.delete('gone');
  await producer.commit();
  assert.deepEqual(await bench(log).values('stays'), ['2']);
  await log.close();
  const again = await createFileLog({ directory, clock, options });
  assert.deepEqual(await again.admin.list(), ['stays']);
  assert.deepEqual(await bench(again).values('stays'), ['2']);
  await again.close();
});

test('a producer stays fenced after the log was opened again', async (t) => {
  const directory = await newFolder(t);
  let log = await createFileLog({ directory, clock, options });
  await log.admin.create('t', { partitions: 1 });
  const epochs: number[] = [];
  for (let life = 0; life < 3; life++) {
    const producer = await log.producer({ transactionalId: 'x' });
    producer.begin();
    await producer.append('t', 0, batch('k=v'));
    await producer.commit();
    await log.close();
    log = await createFileLog({ directory, clock, options });
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([{ topic: 't', partition: 0, position: life }]);
    const [fetched] = await reader.fetch(0);
    epochs.push(batchHeader(fetched!.bytes, fetched!.starts[0]!).producerEpoch);
  }
  assert.deepEqual(epochs, [0, 1, 2]);
  await log.close();
});

test('many small batches go to a segment long before they are large, and those of no open transaction', async (t) => {
  const directory = await newFolder(t);
  const log = await createFileLog({ directory, clock, options });
  await log.admin.create('input', { partitions: 1 });
  const producer = await log.producer({ transactionalId: 'tx' });
  const written = async () => {
    const names = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.log'));
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  producer.begin();
  for (let i = 0; i < 100; i++) await producer.append('input', 0, batch(`k=${i}`));
  assert.equal(await written(), 0);
  await producer.commit();
  for (let i = 0; i < 1000 && (await written()) === 0; i++) await clock.turn();
  assert.ok((await written()) >= 100 * batch('k=0').length);
  await log.close();
});

test('missing indexes are rebuilt', async (t) => {
  const directory = await newFolder(t);
  let log = await createFileLog({ directory, clock, options });
  await log.admin.create('t', { partitions: 1, segmentBytes: 100_000 });
  const producer = await log.producer({});
  for (let i = 0; i < 60; i++) await producer.append('t', 0, batch(`k=${'v'.repeat(5000)}`));
  await log.close();
  const topic = join(directory, 'topics', (await readdir(join(directory, 'topics')))[0]!, '0');
  const indexes = (await readdir(topic)).filter((name) => name.endsWith('.index'));
  assert.equal(indexes.length, 4);
  for (const name of indexes) await rm(join(topic, name));
  log = await createFileLog({ directory, clock, options });
  for (const from of [0, 17, 31, 59]) {
    assert.equal((await bench(log).read('t', 'committed', from))[0]!.position, from);
  }
  await log.close();
  assert.equal((await readdir(topic)).filter((name) => name.endsWith('.index')).length, 4);
});

test('a flipped byte is met on reading, named by topic, partition and position', async (t) => {
  const directory = await newFolder(t);
  let log = await createFileLog({ directory, clock, options });
  await log.admin.create('orders', { partitions: 1 });
  const producer = await log.producer({});
  for (let i = 0; i < 3; i++) await producer.append('orders', 0, batch(`k=${'v'.repeat(500)}`));
  await log.close();
  const topic = (await readdir(join(directory, 'topics')))[0]!;
  const segment = join(directory, 'topics', topic, '0', `${'0'.repeat(20)}.log`);
  const size = (await readFile(segment)).length;
  const file = await open(segment, 'r+');
  await file.write(Buffer.of(1), 0, 1, Math.floor(size / 2));
  await file.close();
  log = await createFileLog({ directory, clock, options });
  const message = await refuses('log.corrupt', bench(log).read('orders'));
  assert.match(message, /orders\/0 at position 1 /);
  await log.close();
});

test('a folder of a newer version is refused in words', async (t) => {
  const directory = await newFolder(t);
  await (await createFileLog({ directory, clock, options })).close();
  const journal = join(directory, 'journal', (await readdir(join(directory, 'journal')))[0]!);
  const bytes = await readFile(journal);
  bytes.writeInt32BE(99, 4);
  await writeFile(journal, bytes);
  assert.match(await refuses('log.format', createFileLog({ directory, clock, options })), /format 99/);
  await writeFile(join(directory, 'meta.json'), '{"format":7}');
  assert.match(await refuses('log.format', createFileLog({ directory, clock, options })), /format 7/);
});

test('a full disk refuses writes in words, and goes on once there is space', async () => {
  const disk = new SimulatedDisk(seededRandom(1));
  const time = new VirtualClock();
  const settings = { directory: '/log', clock: time, options: { ...options, embedBytes: 300 } };
  let log = await createFileLog({ ...settings, fs: disk.mount() });
  await log.admin.create('t', { partitions: 1 });
  const producer = await log.producer({ transactionalId: 'x' });
  const commit = async (value: string) => {
    producer.begin();
    await producer.append('t', 0, batch(`k=${value}`));
    await producer.commit();
  };
  await commit('small');
  await commit('large'.padEnd(1000, '.'));
  disk.full = 'ENOSPC';
  assert.match(await refuses('log.full', commit('lost')), /free space/);
  await refuses('log.full', commit('lost too'));
  await producer.abort();
  time.advance(1500);
  await refuses('log.full', commit('still full'));
  await producer.abort();
  assert.deepEqual((await bench(log).values('t')).length, 2, 'reading goes on');
  disk.full = undefined;
  time.advance(1500);
  await commit('after');
  await commit('after'.padEnd(1000, '.'));
  const values = await bench(log).values('t');
  assert.deepEqual(
    values.map((value) => value!.slice(0, 5)),
    ['small', 'large', 'after', 'after'],
  );
  disk.crash();
  log = await createFileLog({ ...settings, fs: disk.mount() });
  assert.deepEqual(await bench(log).values('t'), values);
});

test('after a sync that failed only opening again helps, and nothing answered is lost', async () => {
  const disk = new SimulatedDisk(seededRandom(2));
  const time = new VirtualClock();
  const settings = { directory: '/log', clock: time, options: { ...options, embedBytes: 0 } };
  let log = await createFileLog({ ...settings, fs: disk.mount() });
  await log.admin.create('t', { partitions: 1 });
  const producer = await log.producer({});
  await producer.append('t', 0, batchAt(1, 'k=kept'));
  disk.failSync = true;
  await refuses('log.full', producer.append('t', 0, batchAt(1, 'k=lost')));
  disk.failSync = false;
  time.advance(5000);
  assert.match(await refuses('log.full', producer.append('t', 0, batchAt(1, 'k=refused'))), /open the log again/);
  disk.crash();
  log = await createFileLog({ ...settings, fs: disk.mount() });
  assert.deepEqual(await bench(log).values('t'), ['kept']);
  await log.close();
});
