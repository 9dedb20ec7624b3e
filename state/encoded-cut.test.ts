import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EncodedCut } from './encoded-cut.ts';
import { createStateBackend } from './state.ts';
import { TestTask } from './test-task.ts';

/** The array buffers in which the rows of the next epoch lie. */
async function nextCut(task: TestTask, epoch: number): Promise<readonly ArrayBufferLike[]> {
  await task.run(() => {
    for (let i = 0; i < 2000; i++) task.add(`key-${i % (200 + epoch)}`, 1);
  });
  const cut = task.state.cut();
  assert.ok(cut instanceof EncodedCut);
  const memory = [cut.out.bytes.buffer, cut.entries.buffer];
  task.commit(cut);
  return memory;
}

test('an epoch takes the memory of one that has been let go', async () => {
  const task = await new TestTask(createStateBackend({}), undefined).open();
  const first = new Set(await nextCut(task, 0));
  for (let epoch = 1; epoch < 20; epoch++) {
    const memory = await nextCut(task, epoch);
    assert.ok(
      memory.every((each) => first.has(each)),
      `epoch ${epoch}`,
    );
  }
  await task.state.close();
});
