import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomInt, seededRandom } from '../../core/random.ts';
import { createStateBackend } from '../state.ts';
import { inFolder } from '../store.conformance.ts';
import { TestTask } from '../test-task.ts';

const KEYS = 50;
/** So long that images out of date are merged away several times. */
const VALUE = 'v'.repeat(20_000);

test('bytes that are not written are those of the newest committed image of each key that has changed since', () =>
  inFolder({ name: 'rocksdb', onDisk: true, create: () => createStateBackend({}) }, async (directory) => {
    const backend = createStateBackend({});
    const task = await new TestTask(backend, directory).open();
    const random = seededRandom(7);
    const changed = new Set<number>();
    assert.equal(task.state.unwrittenBytes, 0);
    await task.run(() => task.put(0, 'key 10', VALUE));
    task.commit();
    const size = task.state.unwrittenBytes;
    assert.ok(size > VALUE.length && size < VALUE.length + 100, `${size} bytes`);
    changed.add(10);
    for (let epoch = 0; epoch < 600; epoch++) {
      const key = 10 + randomInt(random, KEYS);
      await task.run(() => task.put(0, `key ${key}`, VALUE));
      const cut = task.state.cut();
      if (changed.size > 1) assert.ok(task.state.unwrittenBytes <= size * changed.size);
      task.commit(cut);
      changed.add(key);
      assert.equal(task.state.unwrittenBytes, size * changed.size, `epoch ${epoch}`);
      if (epoch % 170 !== 169) continue;
      const writing = task.state.writeBack();
      await task.run(() => task.put(0, 'key 10', VALUE));
      task.commit();
      await writing;
      changed.clear();
      changed.add(10);
      assert.equal(task.state.unwrittenBytes, size, `epoch ${epoch}`);
    }
    await task.state.writeBack();
    assert.equal(task.state.unwrittenBytes, 0);
    await backend.close();
    assert.equal(task.budget.usedBytes, 0);
  }));
