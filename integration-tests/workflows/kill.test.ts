import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomInt, seededRandom } from '../../core/random.ts';
import { assertAllEnded } from './check.ts';
import { runChild } from './run-child.ts';
import { openLog } from './world.ts';

const EXECUTIONS = 1000;
const KILLS = 4;

test('killed at random while 1,000 executions run, each ends once with the right result', {
  timeout: 120_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-killed-'));
  const seed = Number(process.env['NODEFLOW_SEED'] ?? 7);
  const random = seededRandom(seed);
  t.diagnostic(`seed ${seed}`);
  try {
    let killed = 0;
    for (let n = 0; n < KILLS; n++) {
      const ended = await runChild({ directory }, EXECUTIONS, 20 + randomInt(random, 600));
      if (ended.signal === 'SIGKILL') killed++;
      else assert.equal(ended.code, 0, ended.errors);
    }
    const last = await runChild({ directory }, EXECUTIONS);
    assert.equal(last.code, 0, last.errors);
    assert.match(last.output, /all ended/);
    t.diagnostic(`killed ${killed} times`);
    assert.ok(killed > 2, 'it was hardly ever killed');
    const log = await openLog({ directory });
    await assertAllEnded(log, EXECUTIONS);
    await log.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
