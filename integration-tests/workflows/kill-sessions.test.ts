import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomInt, seededRandom } from '../../core/random.ts';
import type { SessionView } from '../../workflows/workflows.ts';
import { runChild } from './run-child.ts';

const EXECUTIONS = 30;
const KILLS = 2;

test('killed at random while executions wait for each other, a session has had each of them once', {
  timeout: 600_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-sessions-'));
  const seed = Number(process.env['NODEFLOW_SEED'] ?? 5);
  const random = seededRandom(seed);
  const program = join(import.meta.dirname, 'session-child.ts');
  const script = [program, JSON.stringify({ directory }), String(EXECUTIONS)];
  const run = (killAfterMs?: number) => runChild(script, killAfterMs);
  t.diagnostic(`seed ${seed}`);
  try {
    let killed = 0;
    for (let n = 0; n < KILLS; n++) if ((await run(10 + randomInt(random, 200))).signal === 'SIGKILL') killed++;
    assert.ok(killed >= KILLS / 2, 'it was hardly ever killed');
    const { code, output, errors } = await run();
    assert.deepEqual([code, errors], [0, '']);
    const sessions = output.split('\n').filter((line) => line.startsWith('{'));
    for (const [user, line] of sessions.entries()) {
      const { values, holder, waiting } = JSON.parse(line) as SessionView;
      const wanted = Array.from({ length: EXECUTIONS / 3 }, (_, i) => `x${i * 3 + user}`);
      assert.deepEqual([...(values['items'] as string[])].sort(), wanted.sort());
      assert.deepEqual([values['visits'], holder, waiting], [wanted.length, null, 0]);
    }
    assert.equal(sessions.length, 3);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
