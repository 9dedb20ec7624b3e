import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { isFlowError } from '../../core/errors.ts';
import { createStateBackend } from '../state.ts';
import { TABLES } from '../store-oracle.ts';
import { TestTask } from '../test-task.ts';
import { loadLibrary, unavailable } from './library.ts';
import { FORMAT_KEY } from './meta.ts';
import { openRocks } from './open.ts';
import { setAside } from './quarantine.ts';

async function inTemporary(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'folder-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const KEYS = 3000;

async function fill(directory: string): Promise<void> {
  const task = await new TestTask(createStateBackend({}), directory).open();
  for (let i = 0; i < KEYS; i++) await task.run(() => task.put(i % 3, `key-${i}`, `value-${i}`));
  task.commit();
  await task.state.close();
}

/** Every row is right, or absent with its position; or the folder was set aside. Never a wrong value. */
async function readAll(directory: string): Promise<'whole' | 'quarantined'> {
  const backend = createStateBackend({});
  const task = new TestTask(backend, directory);
  for (;;) {
    await task.open();
    if (task.quarantines.length > 0) {
      assert.equal(task.state.position('pages'), undefined);
      assert.deepEqual(await task.run(() => task.rows(1)), []);
      await task.state.close();
      return 'quarantined';
    }
    try {
      const gone = task.state.position('pages') === undefined;
      for (let i = 0; i < KEYS; i += 13) {
        assert.equal(await task.run(() => task.get(i % 3, `key-${i}`)), gone ? undefined : `value-${i}`);
      }
      for (let pane = 0; pane < 3; pane++)
        assert.equal((await task.run(() => task.rows(pane))).length, gone ? 0 : KEYS / 3);
      await task.state.close();
      return 'whole';
    } catch (thrown) {
      if (!isFlowError(thrown, 'state.corrupt')) throw thrown;
      await task.state.discard();
    }
  }
}

test('a corrupt folder is set aside, told, and starts empty, wherever the bytes are wrong', () =>
  inTemporary(async (folder) => {
    const directory = join(folder, 'task');
    const outcomes: string[] = [];
    await fill(directory);
    assert.equal(await readAll(directory), 'whole'); // and the write-ahead log becomes a table
    const files = readdirSync(directory).filter((name) => /^(CURRENT|MANIFEST|.*\.sst|.*\.log)/.test(name));
    assert.ok(
      files.some((name) => name.endsWith('.sst')),
      files.join(' '),
    );
    const whole = new Map(files.map((name) => [name, readFileSync(join(directory, name))]));
    for (const [name, bytes] of whole) {
      if (bytes.length === 0) continue;
      for (const part of [0.02, 0.5, 0.97]) {
        rmSync(directory, { recursive: true });
        mkdirSync(directory);
        for (const [each, content] of whole) writeFileSync(join(directory, each), content);
        const broken = Buffer.from(bytes);
        const at = Math.floor(bytes.length * part);
        broken.fill(0xa5, at, Math.min(bytes.length, at + 24));
        writeFileSync(join(directory, name), broken);
        outcomes.push(`${name} at ${part}: ${await readAll(directory)}`);
      }
    }
    const aside = readdirSync(folder).filter((name) => name.startsWith('task.corrupt-'));
    assert.ok(outcomes.filter((outcome) => outcome.endsWith('quarantined')).length >= 4, outcomes.join('\n'));
    assert.equal(aside.length, 3, 'the newest three are kept');
  }));

test('only the newest three folders set aside are kept', () =>
  inTemporary(async (folder) => {
    const directory = join(folder, 'task');
    for (let i = 0; i < 5; i++) {
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, 'mark'), String(i));
      setAside(directory);
    }
    assert.deepEqual(readdirSync(folder).sort(), ['task', 'task.corrupt-3', 'task.corrupt-4', 'task.corrupt-5']);
    assert.equal(readFileSync(join(folder, 'task.corrupt-5', 'mark'), 'utf8'), '4');
  }));

test('a second open of a folder is refused and harms nothing', () =>
  inTemporary(async (folder) => {
    const directory = join(folder, 'task');
    const task = await new TestTask(createStateBackend({}), directory).open();
    await task.run(() => task.add('a', 1));
    await assert.rejects(new TestTask(createStateBackend({}), directory).open(), { code: 'state.locked' });
    const told = await inWorker(directory, 'open');
    assert.match(told, /state\.locked/);
    assert.deepEqual(readdirSync(folder), ['task']);
    task.commit();
    await task.state.close();
    await task.open();
    assert.equal(await task.run(() => task.sum('a')), 1);
    await task.state.close();
  }));

test('a folder of a newer format is refused in words and left alone', () =>
  inTemporary(async (folder) => {
    const directory = join(folder, 'task');
    await fill(directory);
    const library = loadLibrary();
    assert.ok(typeof library === 'object');
    const database = library.open(directory);
    await database.ready();
    const batch = database.write();
    batch.tryPut(FORMAT_KEY, Buffer.from('2'));
    await batch.flush();
    batch.destroy();
    await database.close();
    const task = new TestTask(createStateBackend({}), directory);
    await assert.rejects(
      task.open(),
      (thrown: Error) => isFlowError(thrown, 'state.format') && /newer/.test(thrown.message),
    );
    assert.deepEqual(readdirSync(folder), ['task']);
  }));

test('positions are looked up in a folder that is closed, and nothing is found where it is open, gone or damaged', () =>
  inTemporary(async (folder) => {
    const directory = join(folder, 'task');
    const backend = createStateBackend({});
    const task = new TestTask(backend, directory);
    const look = () => backend.look(directory, TABLES);
    assert.equal(await look(), undefined);
    assert.equal(existsSync(directory), false, 'looking makes no folder');
    await fill(directory);
    const positions = await look();
    await task.open();
    for (const { name } of TABLES) assert.equal(positions!.get(name), task.state.position(name));
    assert.ok(positions!.get('pages')! > 0);
    assert.equal(await look(), undefined);
    await task.state.close();
    assert.deepEqual(await look(), positions);
    for (const name of readdirSync(directory)) writeFileSync(join(directory, name), 'nonsense');
    assert.equal(await look(), undefined);
    assert.ok(existsSync(directory), 'whoever opens it sets it aside');
  }));

test('hard place 29: stores in two worker threads at once', () =>
  inTemporary(async (folder) => {
    const told = await Promise.all([1, 2].map((n) => inWorker(join(folder, `task-${n}`), 'work')));
    assert.deepEqual(told, ['2000 rows', '2000 rows']);
  }));

test('closing while reads and writes are under way waits for them', () =>
  inTemporary(async (folder) => {
    const directory = join(folder, 'task');
    await fill(directory);
    const task = await new TestTask(createStateBackend({}), directory).open();
    for (let i = 0; i < 200; i++)
      assert.equal(
        task.attempt(() => task.get(i % 3, `key-${i}`)),
        undefined,
      );
    const fetching = task.state.fetchWanted();
    task.attempt(() => task.put(1, 'late', 'x'));
    task.commit();
    const writing = task.state.writeBack();
    await task.state.close();
    await Promise.all([fetching, writing]);
    await task.open();
    assert.equal(await task.run(() => task.get(1, 'late')), 'x');
    await task.state.close();
    assert.ok(existsSync(directory));
  }));

test('the sentence for a missing library names the cure', () => {
  assert.match(unavailable('libatomic.so.1: cannot open shared object file'), /install the system package libatomic1/);
  assert.match(unavailable('Cannot find module'), /rocksdb-native is installed/);
});

test('without a disk, state beyond the bound is an error that names the cure', async () => {
  const task = await new TestTask(createStateBackend({}), undefined, 100_000).open();
  for (let i = 0; i < 2000; i++) await task.run(() => task.add(`key-${i}`, 1));
  assert.ok(task.state.overBudget);
  assert.throws(() => task.state.cut(), { code: 'state.bound', message: /raise state\.memory/ });
  await task.state.discard();
});

function inWorker(directory: string, what: string): Promise<string> {
  const worker = new Worker(new URL('./folder-worker.ts', import.meta.url), { workerData: { directory, what } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('a table that is asked for no more is emptied, and begins anew when it comes back', async () => {
  const library = loadLibrary();
  if (typeof library !== 'object') return;
  await inTemporary(async (folder) => {
    const shape = (name: string) => ({ name, windowed: false });
    const at = (id: number, key: string) => Buffer.concat([Buffer.from([0, id]), Buffer.from(key)]);
    const open = async (...names: readonly string[]) => {
      const disk = await openRocks(library, folder, names.map(shape), assert.fail);
      return disk;
    };
    const both = await open('one', 'two');
    const [one, two] = [both.tableIds.get('one')!, both.tableIds.get('two')!];
    await both.write((batch) => {
      for (const id of [one, two]) batch.put(at(id, 'k'), Buffer.from('v'));
      for (const name of ['one', 'two']) batch.position(name, 7);
    });
    await both.close();
    const alone = await open('two');
    assert.deepEqual([...alone.positions], [['two', 7]]);
    const rows = await alone.getMany([at(one, 'k'), at(two, 'k')]);
    assert.deepEqual(rows.map(String), ['null', 'v']);
    await alone.close();
    const again = await open('one', 'two');
    assert.deepEqual([...again.positions], [['two', 7]]);
    assert.notEqual(again.tableIds.get('one'), two);
    await again.close();
  });
});
