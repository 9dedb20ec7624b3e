import assert from 'node:assert/strict';
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
