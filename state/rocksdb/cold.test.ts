import assert from 'node:assert/strict';
import { test } from 'node:test';
import { garbageCollector } from '../garbage.fixture.ts';
import { createStateBackend } from '../state.ts';
import { inFolder } from '../store.conformance.ts';
import { TestTask } from '../test-task.ts';

const onDisk =
  (run: (task: TestTask) => Promise<void>, maxBytes = 1e9) =>
  () =>
    inFolder({ name: 'rocksdb', onDisk: true, create: () => createStateBackend({}) }, async (directory) => {
      const backend = createStateBackend({});
      const task = await new TestTask(backend, directory, maxBytes).open();
      await run(task);
      await backend.close();
      assert.equal(task.budget.usedBytes, 0);
    });

const KEYS = Number(process.env['NODEFLOW_TEST_KEYS'] ?? 150_000);

test(
  `hard place 5: a bound of 1 MB holds ${KEYS} keys with flat memory`,
  onDisk(async (task) => {
    const collect = garbageCollector();
    collect();
    const before = process.memoryUsage();
    let highest = 0;
    const turn = async (key: number, amount: number) => {
      await task.run(() => task.add(`key-${key}`, amount));
      if (!task.state.overBudget && task.state.unwrittenBytes < 1 << 20) return;
      task.commit();
      await task.state.writeBack();
      highest = Math.max(highest, task.budget.usedBytes);
    };
    for (let i = 0; i < KEYS; i++) await turn(i, i);
    for (let i = 0; i < KEYS; i += 100) await turn((i * 7919) % KEYS, 1);
    const { evictions, coldReads } = task.state.figures;
    assert.ok(evictions > KEYS * 0.9, `${evictions} evictions`);
    assert.ok(coldReads > KEYS / 200, `${coldReads} cold reads`);
    assert.ok(highest < 1.5 * 1024 * 1024, `${highest} bytes in use`);
    collect();
    const after = process.memoryUsage();
    const grown = (after.heapUsed + after.external - before.heapUsed - before.external) / (1 << 20);
    assert.ok(grown < 64, `${grown} MB more`);
    for (let i = 1; i < KEYS; i += 997) {
      const sum = await task.run(() => task.sum(`key-${i}`));
      assert.ok(sum === i || sum === i + 1, `key ${i} is ${sum}`);
    }
  }, 1 << 20),
);

test(
  'hard place 2: absence in a complete pane needs no read, and in one with evicted rows hardly any',
  onDisk(async (task) => {
    for (let i = 0; i < 2000; i++) await task.run(() => task.put(10, `here-${i}`, 'x'));
    assert.equal(task.state.cold, false);
    for (let i = 0; i < 500; i++)
      assert.notEqual(
        task.attempt(() => task.get(10, `not-${i}`)),
        undefined,
      );
    await task.evictAll();
    assert.equal(task.state.figures.hotRows, 0);
    assert.equal(task.state.cold, true);
    for (let i = 0; i < 500; i++) assert.equal(await task.run(() => task.get(10, `not-${i}`)), undefined);
    assert.ok(task.state.figures.coldReads < 25, `${task.state.figures.coldReads} reads`);
    for (let i = 0; i < 500; i++)
      assert.notEqual(
        task.attempt(() => task.get(20, `not-${i}`)),
        undefined,
        'a new pane',
      );
    assert.equal(await task.run(() => task.get(10, 'here-77')), 'x');
  }),
);

test(
  'rows that are told ahead come with the one that is missed',
  onDisk(async (task) => {
    for (let i = 0; i < 64; i++) await task.run(() => task.put(10, `here-${i}`, `${i}`));
    await task.evictAll();
    const read = () => {
      for (let i = 0; i < 70; i++) {
        const key = Buffer.from(`here-${i}`);
        task.pages.ahead(10, key, 0, key.length);
      }
      return Array.from({ length: 70 }, (_, i) => task.get(10, `here-${i}`));
    };
    assert.equal(task.pages.isCold(10), true);
    assert.equal(task.pages.isCold(11), false);
    assert.equal(task.attempt(read), undefined);
    await task.state.fetchWanted();
    const done = task.attempt(read);
    assert.deepEqual(
      done?.result,
      Array.from({ length: 70 }, (_, i) => (i < 64 ? `${i}` : undefined)),
    );
    task.state.unpin();
    await task.evictAll();
    // what is told and then not read does no harm
    assert.deepEqual(await task.run(() => task.get(10, 'here-1')), '1');
    await task.run(() => task.put(10, 'here-2', 'new'));
    assert.deepEqual((await task.run(read)).slice(0, 4), ['0', '1', 'new', '3']);
  }),
);

test(
  'hard place 2: absence that was read is known while it is pinned',
  onDisk(async (task) => {
    await task.run(() => task.add('a', 1));
    await task.evictAll();
    await task.reopen();
    assert.equal(
      task.attempt(() => task.sum('b')),
      undefined,
    );
    await task.state.fetchWanted();
    assert.deepEqual(
      task.attempt(() => task.sum('b')),
      { result: undefined },
    );
    assert.equal(task.state.wanted, 0);
    task.state.unpin();
  }),
);

test(
  'hard place 3: what is written back is what was committed, never more',
  onDisk(async (task) => {
    await task.run(() => task.add('a', 1));
    const position = task.commit();
    await task.run(() => task.add('a', 10));
    await task.run(() => task.add('b', 5));
    task.state.cut();
    await task.run(() => task.add('a', 100));
    await task.state.writeBack();
    await task.reopen();
    assert.equal(task.state.position('sums'), position);
    assert.equal(await task.run(() => task.sum('a')), 1);
    assert.equal(await task.run(() => task.sum('b')), undefined);
    assert.equal(task.state.refreshedAt, 0);
  }),
);

test(
  'hard place 3: a row that is dirty in every epoch is written, and its images are merged meanwhile',
  onDisk(async (task) => {
    const value = 'v'.repeat(500);
    let waiting: ReturnType<typeof task.state.cut> | undefined;
    let highest = 0;
    for (let epoch = 0; epoch < 40; epoch++) {
      await task.run(() => {
        for (let i = 0; i < 400; i++) task.put(i % 3, `key-${i}`, `${epoch}${value}`);
        if (epoch % 7 === 3) task.pages.dropPane(2);
      });
      const cut = task.state.cut();
      if (waiting !== undefined) task.commit(waiting);
      waiting = cut;
      highest = Math.max(highest, task.state.figures.hotBytes);
      if (epoch === 20) await task.state.writeBack();
    }
    assert.ok(highest < 4 << 20, `${highest} bytes kept`);
    await task.state.writeBack();
    await task.reopen();
    assert.equal(await task.run(() => task.get(0, 'key-3')), `38${value}`);
    assert.equal(await task.run(() => task.get(2, 'key-5')), undefined, 'dropped in epoch 38');
    assert.equal((await task.run(() => task.rows(1))).length, 133);
  }),
);

test(
  'hard place 4: a fetch that comes late does not undo a newer write',
  onDisk(async (task) => {
    for (const key of ['put', 'gone', 'dropped', 'kept'])
      await task.run(() => task.put(key === 'dropped' ? 2 : 1, key, 'old'));
    await task.evictAll();
    for (const key of ['put', 'gone', 'kept'])
      assert.equal(
        task.attempt(() => task.get(1, key)),
        undefined,
      );
    assert.equal(
      task.attempt(() => task.get(2, 'dropped')),
      undefined,
    );
    assert.equal(task.state.wanted, 4);
    const fetching = task.state.fetchWanted();
    task.attempt(() => {
      task.put(1, 'put', 'new');
      task.pages.delete(1, Buffer.from('gone'), 0, 4);
      task.pages.dropPane(2);
    });
    await fetching;
    const found = await task.run(() => ['put', 'gone', 'kept'].map((key) => task.get(1, key)));
    assert.deepEqual(found, ['new', undefined, 'old']);
    assert.equal(await task.run(() => task.get(2, 'dropped')), undefined);
  }),
);

test(
  'hard place 4: a scan merges what is hot, committed and on disk, and goes on where it stood',
  onDisk(async (task) => {
    const name = (i: number) => `k${String(i).padStart(4, '0')}`;
    await task.run(() => {
      for (let i = 0; i < 600; i += 2) task.put(1, name(i), 'disk');
    });
    await task.evictAll();
    await task.run(() => {
      for (let i = 0; i < 600; i += 6) task.put(1, name(i), 'image');
      task.pages.delete(1, Buffer.from(name(2)), 0, 5);
    });
    task.commit();
    await task.run(() => {
      for (let i = 1; i < 600; i += 60) task.put(1, name(i), 'hot');
      task.pages.delete(1, Buffer.from(name(6)), 0, 5);
    });
    const expected: string[] = [];
    for (let i = 0; i < 600; i++) {
      if (i === 2 || i === 6) continue;
      if (i % 60 === 1) expected.push(`${name(i)}=hot`);
      else if (i % 6 === 0) expected.push(`${name(i)}=image`);
      else if (i % 2 === 0) expected.push(`${name(i)}=disk`);
    }
    assert.deepEqual(await task.run(() => task.rows(1)), expected);
    const part = await task.run(() => task.rows(1, name(100), name(200)));
    assert.deepEqual(
      part,
      expected.filter((row) => row >= name(100) && row < name(200)),
    );
    const scan = task.pages.scan(1);
    const seen: string[] = [];
    for (let more = true; more; ) {
      more = await task.run(() => scan.next());
      if (more)
        seen.push(`${scan.key.toString('utf8', 0, scan.keyEnd)}=${scan.bytes.toString('utf8', scan.start, scan.end)}`);
    }
    assert.deepEqual(seen, expected, 'each row a step of its own');
  }),
);

test(
  'reset empties a table in memory and on disk, and nothing comes back',
  onDisk(async (task) => {
    await task.run(() => task.add('a', 1));
    await task.run(() => task.put(1, 'p', 'x'));
    await task.evictAll();
    await task.run(() => task.add('b', 1));
    task.commit();
    await task.state.reset('sums');
    assert.equal(task.state.position('sums'), undefined);
    await task.state.writeBack();
    await task.reopen();
    assert.equal(task.state.position('sums'), undefined);
    assert.deepEqual(await task.run(() => ['a', 'b'].map((key) => task.sum(key))), [undefined, undefined]);
    assert.equal(await task.run(() => task.get(1, 'p')), 'x');
  }),
);
