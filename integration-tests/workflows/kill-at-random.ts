import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { randomInt, seededRandom } from '../../core/random.ts';
import { assertAllEnded } from './check.ts';
import { runChild } from './run-child.ts';
import { openLog, type Place } from './world.ts';

export interface KillOptions {
  readonly executions: number;
  readonly kills: number;
  readonly place?: Omit<Place, 'directory'>;
}

/** Kills the engine again and again while executions run, then lets it go on to the end. */
export async function killAtRandom(t: TestContext, { executions, kills, place }: KillOptions): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-killed-'));
  const where: Place = { directory, ...place };
  const seed = Number(process.env['NODEFLOW_SEED'] ?? 7);
  const random = seededRandom(seed);
  t.diagnostic(`seed ${seed}`);
  try {
    let killed = 0;
    const script = [join(import.meta.dirname, 'child.ts'), JSON.stringify(where), String(executions)];
    for (let n = 0; n < kills; n++) {
      const ended = await runChild(script, 20 + randomInt(random, 600));
      if (ended.signal === 'SIGKILL') killed++;
      else assert.equal(ended.code, 0, ended.errors);
    }
    assert.ok(killed >= kills / 2, 'it was hardly ever killed');
    const last = await runChild(script);
    assert.equal(last.code, 0, last.errors);
    assert.match(last.output, /all ended/);
    t.diagnostic(`killed ${killed} times`);
    const log = await openLog(where);
    await assertAllEnded(log, executions);
    await log.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
