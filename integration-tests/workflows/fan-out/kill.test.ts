import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../core/clock.ts';
import { randomInt, seededRandom } from '../../../core/random.ts';
import { started, sumTo } from '../../../workflows/control/records.fixture.ts';
import { runChild } from '../run-child.ts';
import { open, openLog } from '../world.ts';

const KILLS = 8;
const COUNT = 600;

async function within(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-killed-fan-out-'));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function script(directory: string, how: 'run' | 'cancel'): readonly string[] {
  return [join(import.meta.dirname, 'child.ts'), JSON.stringify({ directory }), how, String(COUNT)];
}

test(
  'killed at random while each record has an execution, each has had one, and its answer counts once',
  {
    timeout: 600_000,
  },
  (t) =>
    within(async (directory) => {
      const seed = Number(process.env['NODEFLOW_SEED'] ?? 7);
      const random = seededRandom(seed);
      t.diagnostic(`seed ${seed}`);
      let killed = 0;
      let output = '';
      for (let n = 0; n < KILLS && output === ''; n++) {
        const ended = await runChild(script(directory, 'run'), randomInt(random, 600));
        if (ended.signal === 'SIGKILL') killed++;
        else {
          assert.equal(ended.code, 0, ended.errors);
          ({ output } = ended);
        }
      }
      t.diagnostic(`killed ${killed} times`);
      if (output === '') {
        const last = await runChild(script(directory, 'run'));
        assert.equal(last.code, 0, last.errors);
        ({ output } = last);
      }
      assert.match(output, new RegExp(`COMPLETED {"all":{"all":${sumTo(COUNT)}}}`));
      const log = await openLog({ directory });
      const found = await started(log, 'x');
      assert.deepEqual([found.ids.size, found.starts, found.open.size], [COUNT, COUNT, 0]);
      assert.deepEqual(new Set(found.statuses.values()), new Set(['COMPLETED']));
      assert.ok(found.most <= 80, `${found.most} at once`);
      await log.close();
      assert.ok(killed >= 3, 'it was hardly ever killed');
    }),
);

test('killed while it is cancelled, nothing of it is left running', { timeout: 600_000 }, (t) =>
  within(async (directory) => {
    const seed = Number(process.env['NODEFLOW_SEED'] ?? 7);
    const random = seededRandom(seed + 1);
    t.diagnostic(`seed ${seed}`);
    for (let n = 0; n < 2; n++) await runChild(script(directory, 'cancel'), 300 + randomInt(random, 700));
    const last = await runChild(script(directory, 'cancel'));
    assert.equal(last.code, 0, last.errors);
    const log = await openLog({ directory });
    const workflows = await open({ directory }, log);
    while ((await started(log, 'y')).open.size > 0) await systemClock.sleep(50);
    const { ids, open: left, statuses } = await started(log, 'y');
    assert.deepEqual([left.size, new Set(statuses.values())], [0, new Set(['CANCELLED'])]);
    assert.ok(ids.size >= 40 && ids.size <= 80, `${ids.size} were started`);
    await workflows.drain();
    await log.close();
  }),
);
