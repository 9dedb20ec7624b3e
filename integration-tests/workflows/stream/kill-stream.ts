import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import { randomInt, seededRandom } from '../../../core/random.ts';
import { createFileLog } from '../../../log/file/file.ts';
import { runChild } from '../run-child.ts';
import { passedIn, wrong } from './job.ts';

export interface StreamTrial {
  readonly records: number;
  readonly kills: number;
  /** Kills come so long after a commit has let records out, at most; each third one when the run has just begun. */
  readonly withinMs: number;
  readonly seed: number;
}

export interface StreamReport extends StreamTrial {
  /** How many records had passed at each kill. */
  readonly passed: readonly number[];
  readonly seconds: number;
  readonly faults: readonly string[];
}

/** Kills a streaming run again and again, lets it go on to its end, and holds what came out against what went in. */
export async function killStream(trial: StreamTrial): Promise<StreamReport> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-stream-'));
  const random = seededRandom(trial.seed);
  const began = systemClock.monotonic();
  const open = () => createFileLog({ directory: join(directory, 'log'), clock: systemClock });
  try {
    const script = [join(import.meta.dirname, 'child.ts'), directory, String(trial.records)];
    const passed: number[] = [];
    for (let kill = 0; kill < trial.kills; kill++) {
      // when all has passed, nothing moves any more
      if (passed.at(-1) === trial.records - Math.ceil(trial.records / 3)) break;
      const after = randomInt(random, trial.withinMs);
      const { signal, errors } = await runChild([...script, kill % 3 === 2 ? 'begins' : 'moves'], after);
      assert.equal(signal, 'SIGKILL', errors);
      const killed = await open();
      passed.push(await passedIn(killed));
      await killed.close();
    }
    const last = await runChild([...script, 'ends']);
    assert.match(last.output, /complete/, last.errors);
    const read = await open();
    const faults = await wrong(read, trial.records);
    await read.close();
    return { ...trial, passed, seconds: Math.round((systemClock.monotonic() - began) / 100) / 10, faults };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
