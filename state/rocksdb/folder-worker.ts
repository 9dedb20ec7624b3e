import { parentPort, workerData } from 'node:worker_threads';
import { isFlowError } from '../../core/errors.ts';
import { createStateBackend } from '../state.ts';
import { TestTask } from '../test-task.ts';

/** What `folder.test.ts` does in another thread: opens a folder, or fills, evicts and reads one. */
async function work(): Promise<string> {
  const { directory, what } = workerData as { readonly directory: string; readonly what: string };
  const task = await new TestTask(createStateBackend({}), directory).open();
  if (what === 'work') {
    for (let i = 0; i < 2000; i++) await task.run(() => task.put(1, `key-${i}`, `value-${i}`));
    await task.evictAll();
    await task.reopen();
  }
  const rows = await task.run(() => task.rows(1));
  await task.state.close();
  return `${rows.length} rows`;
}

work().then(
  (told) => parentPort!.postMessage(told),
  (thrown: unknown) => parentPort!.postMessage(isFlowError(thrown) ? thrown.code : String(thrown)),
);
