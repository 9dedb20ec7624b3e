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

/**
 * Nothing is lost: every reading stands in the log, the last running count of every sensor and the last final sum of
 * every window hold at least what a naive reading gives. Answers how many readings stand there too often.
 */
export async function assertAtLeast(log: Log): Promise<number> {
  const expected = expectedResults();
  const written = await readTopic(log, readings);
  assert.equal(new Set(written.map(({ value }) => value.at)).size, expected.records);
  const counted = new Map<string, number>();
  for (const { key, value } of await readTopic(log, counts)) counted.set(key, value);
  for (const [sensor, due] of lastOf(expected.counts)) {
    const count = counted.get(sensor) ?? 0;
    assert.ok(count >= due, `${sensor} was counted ${count} times of ${due}`);
  }
  const finals = new Map<string, number>();
  for (const { key, value } of await readTopic(log, sums)) finals.set(`${key.key} ${key.start}`, value.count);
  for (const line of expected.sums) {
    const [sensor, start, due] = line.split(' ') as [string, string, string];
    const count = finals.get(`${sensor} ${start}`) ?? 0;
    assert.ok(count >= Number(due), `the window ${start} of ${sensor} has ${count} readings of ${due}`);
  }
  return written.length - expected.records;
}

function lastOf(lines: readonly string[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const line of lines) {
    const [sensor, count] = line.split(' ') as [string, string];
    last.set(sensor, Math.max(Number(count), last.get(sensor) ?? 0));
  }
  return last;
}

/** Holds the log in a folder that nobody has open against what it must contain. */
export async function assertFolder<T>(directory: string, check: (log: Log) => Promise<T>): Promise<T> {
  const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
  const found = await check(log);
  await log.close();
  return found;
}

export function assertFolderExact(directory: string): Promise<void> {
  return assertFolder(directory, assertExact);
}
