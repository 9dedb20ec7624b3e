import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomInt, seededRandom } from '../../core/random.ts';
import { changes, expected } from '../../workflows/control/streams.fixture.ts';
import { runChild } from './run-child.ts';
import { openLog } from './world.ts';

const RECORDS = 1500;
const KILLS = 6;

test('killed at random while an execution is upgraded again and again, no record is lost or doubled', {
  timeout: 180_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-upgraded-'));
  const seed = Number(process.env['NODEFLOW_SEED'] ?? 7);
  const random = seededRandom(seed);
  t.diagnostic(`seed ${seed}`);
  const program = join(import.meta.dirname, 'upgrade-child.ts');
  const script = [program, JSON.stringify({ directory }), String(RECORDS)];
  try {
    let killed = 0;
    for (let n = 0; n < KILLS; n++) {
      const life = await runChild(script, 20 + randomInt(random, 400));
      if (life.signal === 'SIGKILL') killed++;
      else assert.equal(life.code, 0, life.errors);
    }
    const last = await runChild(script);
    assert.equal(last.code, 0, last.errors);
    assert.deepEqual(JSON.parse(last.output.trim().split('\n').at(-1)!), {
      ...{ execution: 'x/~9', status: 'COMPLETED', output: { out: null, customers: 3 }, error: null },
    });
    t.diagnostic(`killed ${killed} times`);
    assert.ok(killed >= KILLS / 2, 'it was hardly ever killed');
    const log = await openLog({ directory });
    assert.deepEqual(await changes(log), expected(Array.from({ length: RECORDS }, (_, total) => total)));
    await log.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
