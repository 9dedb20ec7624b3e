import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FAILPOINTS } from '../../checkpoints/checkpoints.ts';
import { assertFolderExact } from './exact.ts';
import { runChild } from './run-child.ts';

/** Reached once a start, or seldom. */
const ONCE: readonly string[] = ['producer.opening', 'feed.fetched'];

for (const failpoint of FAILPOINTS) {
  test(`killed at ${failpoint} twice, the job ends with every result exactly once`, { timeout: 60_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nodeflow-crash-'));
    try {
      for (const hit of ONCE.includes(failpoint) ? [1, 1] : [2, 3]) {
        const killed = await runChild(directory, { failpoint: `${failpoint}:${hit}:kill` });
        assert.equal(killed.signal, 'SIGKILL', `not killed: exit ${killed.code}\n${killed.errors}${killed.output}`);
      }
      const last = await runChild(directory);
      assert.equal(last.code, 0, last.errors);
      assert.match(last.output, /"how":"complete"/);
      await assertFolderExact(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
