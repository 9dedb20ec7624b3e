import assert from 'node:assert/strict';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { createFileLog } from '../../log/file/file.ts';
import type { Log } from '../../log/log.ts';
import { readTopic } from '../support/read-topic.ts';
import { counts, expectedResults, readings, sums } from './topology.ts';

/** Every running count and every final sum stands in the log exactly once, and nothing else. */
export async function assertExact(log: Log): Promise<void> {
  const expected = expectedResults();
  assert.equal((await readTopic(log, readings)).length, expected.records);
  const updates = (await readTopic(log, counts)).map(({ key, value }) => `${key} ${value}`);
  assert.deepEqual(updates.sort(), expected.counts);
  const finals = (await readTopic(log, sums)).map(
    ({ key, value }) => `${key.key} ${key.start} ${value.count} ${value.total}`,
  );
  assert.deepEqual(finals.sort(), expected.sums);
}

/** The same of the log in a folder that nobody has open. */
export async function assertFolderExact(directory: string): Promise<void> {
  const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
  await assertExact(log);
  await log.close();
}
