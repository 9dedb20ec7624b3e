import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Millis } from '../../core/ids.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { changes, expected } from '../../workflows/control/streams.fixture.ts';
import { runChild } from './run-child.ts';
import { openLog, type Place } from './world.ts';

export interface UpgradeOptions {
  readonly records: number;
  readonly upgrades: number;
  readonly kills: number;
  /** How long a life is at most, from when it is busy. */
  readonly lifeMs: Millis;
  /** It is started by a node of another, which is upgraded. */
  readonly within?: boolean;
  readonly place?: Omit<Place, 'directory'>;
}

/** Kills an engine that upgrades an execution again and again while records come, then lets it go on to the end. */
export async function upgradeAtRandom(t: TestContext, options: UpgradeOptions): Promise<void> {
  const { records, upgrades, kills, lifeMs, place, within = false } = options;
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-upgraded-'));
  const where: Place = { directory, ...place };
  const seed = Number(process.env['NODEFLOW_SEED'] ?? 7);
  const random = seededRandom(seed);
  t.diagnostic(`seed ${seed}`);
  const program = join(import.meta.dirname, 'upgrade-child.ts');
  const script = [program, JSON.stringify(where), String(records), String(upgrades), within ? 'outer' : 'job'];
  try {
    let killed = 0;
    for (let n = 0; n < kills; n++) {
      const life = await runChild(script, 20 + randomInt(random, lifeMs));
      if (life.signal === 'SIGKILL') killed++;
      else assert.equal(life.code, 0, life.errors);
    }
    const last = await runChild(script);
    assert.equal(last.code, 0, last.errors);
    const output = { out: null, customers: 3 };
    assert.deepEqual(JSON.parse(last.output.trim().split('\n').at(-1)!), {
      ...{
        execution: `x/~${upgrades + 1}`,
        status: 'COMPLETED',
        output: within ? { run: output } : output,
        error: null,
      },
    });
    t.diagnostic(`killed ${killed} times`);
    assert.ok(killed >= kills / 2, 'it was hardly ever killed');
    const log = await openLog(where);
    assert.deepEqual(await changes(log), expected(Array.from({ length: records }, (_, total) => total)));
    await log.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
