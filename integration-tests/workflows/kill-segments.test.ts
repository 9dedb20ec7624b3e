import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { assertAllEnded } from './check.ts';
import { runChild } from './run-child.ts';
import { expectedSums, putTopics, sorted } from './segments-world.ts';
import { openLog } from './world.ts';

const KILLS = 20;
/** Begun in each life of the engine, which goes on with those of before. */
const NEW = 1;
const EXECUTIONS = KILLS * NEW;

test('killed at random while segments run, each execution ends once with the right result', {
  timeout: 600_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-killed-segments-'));
  const seed = Number(process.env['NODEFLOW_SEED'] ?? 7);
  const random = seededRandom(seed);
  t.diagnostic(`seed ${seed}`);
  const live = (executions: number, killAfterMs?: number) => {
    const program = join(import.meta.dirname, 'segments-child.ts');
    return runChild([program, JSON.stringify({ directory }), String(executions)], killAfterMs);
  };
  try {
    const first = await openLog({ directory });
    await putTopics(first);
    await first.close();
    let killed = 0;
    for (let n = 0; n < KILLS; n++) {
      const ended = await live(NEW * (n + 1), randomInt(random, 300));
      if (ended.signal === 'SIGKILL') killed++;
      else assert.equal(ended.code, 0, ended.errors);
    }
    t.diagnostic(`killed ${killed} times`);
    const last = await live(EXECUTIONS);
    assert.equal(last.code, 0, last.errors);
    assert.match(last.output, /all ended/);
    const log = await openLog({ directory });
    const expected = expectedSums();
    const read = (output: Json) => sorted((output as { readonly all: readonly number[] }).all) as Json;
    await assertAllEnded(log, EXECUTIONS, () => expected, read);
    await log.close();
    assert.ok(killed >= KILLS / 4, 'it was hardly ever killed');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
