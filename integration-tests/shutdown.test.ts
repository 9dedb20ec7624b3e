import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertFolderExact } from './crash/exact.ts';
import { reportOf, runChild } from './crash/run-child.ts';
import { RECORDS } from './crash/topology.ts';

/** The job takes each record twice: from the generator, and from the topic that it writes. */
const TAKEN = 2 * RECORDS;

for (const workers of [1, 2]) {
  test(`SIGTERM under load with ${workers} workers: committed, group left, exit 0; the next run repeats nothing`, {
    timeout: 600_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nodeflow-shutdown-'));
    try {
      const stopped = await runChild(directory, { workers, failpoint: 'commit.published:2:term' });
      assert.equal(stopped.code, 0, `${stopped.signal} ${stopped.errors}`);
      const first = reportOf(stopped);
      assert.equal(first.how, 'drained');
      assert.ok(first.records > 0 && first.records < TAKEN, `${first.records} records`);
      assert.deepEqual(first.members, []);
      const second = reportOf(await runChild(directory, { workers }));
      assert.equal(second.how, 'complete');
      assert.equal(first.records + second.records, TAKEN, 'a record was taken twice, or never');
      await assertFolderExact(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
