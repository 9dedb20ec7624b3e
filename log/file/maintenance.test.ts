import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { batch } from '../conformance/bench.conformance.ts';
import { createFileLog } from './file.ts';

const MAINTAIN_MS = 30_000;
const RETENTION_MS = 600_000;

test('a partition is compacted when as much has come as was left, when tombstones expire, and when asked', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'nodeflow-maintenance-'));
  const clock = new VirtualClock(1_700_000_000_000);
  const log = await createFileLog({ directory, clock, options: { maintainMs: MAINTAIN_MS } });
  t.after(async () => {
    await log.close();
    await rm(directory, { recursive: true, force: true });
  });
  await log.admin.create('rows', { partitions: 1, cleanup: 'compact', deleteRetentionMs: RETENTION_MS });
  const producer = await log.producer({});
  const put = async (keys: number, times: number, value = 'value') => {
    for (let i = 0; i < keys * times; i++) await producer.append('rows', 0, batch(`key ${i % keys}=${value} ${i}`));
  };
  /** What a round by the clock has left for one that is asked for behind it. */
  const left = async (ms = MAINTAIN_MS) => {
    clock.advance(ms);
    return (await log.maintain()).removedRecords;
  };
  await put(50, 2);
  assert.equal(await left(), 0);
  await put(5, 1);
  assert.equal(await left(), 5);
  await put(60, 1);
  assert.equal(await left(), 0);

  await producer.append('rows', 0, batch('key 7='));
  await log.maintain();
  assert.equal(await left(), 0);
  assert.equal(await left(RETENTION_MS), 0);
});
