import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FAILPOINTS } from '../../checkpoints/checkpoints.ts';
import { assertAtLeast, assertFolder, assertFolderExact } from './exact.ts';
import { runChild } from './run-child.ts';

/** Reached once a start, or seldom. */
const ONCE: readonly string[] = ['producer.opening', 'feed.fetched'];

for (const failpoint of FAILPOINTS) {
  test(`killed at ${failpoint} twice, the job ends with every result exactly once`, { timeout: 600_000 }, async () => {
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

const IN_ORDER = ['begun', 'appended', 'positions', 'ending', 'committed', 'published'].map((at) => `commit.${at}`);

for (const failpoint of [...IN_ORDER, 'store.written']) {
  test(`killed at ${failpoint} twice, the job ends at-least-once with nothing lost`, { timeout: 600_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nodeflow-crash-'));
    try {
      const guarantee = 'at-least-once';
      for (const hit of [2, 3]) {
        const killed = await runChild(directory, { guarantee, failpoint: `${failpoint}:${hit}:kill` });
        assert.equal(killed.signal, 'SIGKILL', `not killed: exit ${killed.code}\n${killed.errors}${killed.output}`);
      }
      const last = await runChild(directory, { guarantee });
      assert.equal(last.code, 0, last.errors);
      assert.match(last.output, /"how":"complete"/);
      const repeated = await assertFolder(directory, assertAtLeast);
      if (failpoint === 'commit.appended') assert.ok(repeated > 0, 'nothing was repeated, as if it were exactly-once');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

test('a run cut short at-least-once goes on exactly-once, and the other way round', { timeout: 600_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-crash-'));
  try {
    for (const guarantee of ['at-least-once', 'exactly-once', 'at-least-once'] as const) {
      const killed = await runChild(directory, { guarantee, failpoint: 'commit.positions:3:kill' });
      assert.equal(killed.signal, 'SIGKILL', `not killed: exit ${killed.code}\n${killed.errors}${killed.output}`);
    }
    const last = await runChild(directory, { guarantee: 'at-least-once', workers: 2 });
    assert.equal(last.code, 0, last.errors);
    assert.match(last.output, /"how":"complete"/);
    await assertFolder(directory, assertAtLeast);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
