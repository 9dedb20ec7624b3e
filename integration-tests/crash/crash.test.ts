import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FAILPOINTS } from '../../checkpoints/checkpoints.ts';
import { systemClock } from '../../core/clock.ts';
import { createFileLog } from '../../log/file/file.ts';
import { assertExact } from './exact.ts';

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function runChild(directory: string, failpoint: string | undefined): Promise<Ended> {
  const { NODEFLOW_FAILPOINT: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), directory], {
    env: failpoint === undefined ? env : { ...env, NODEFLOW_FAILPOINT: failpoint },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ signal, code, output, errors }));
  });
}

async function checkFolder(directory: string): Promise<void> {
  const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
  await assertExact(log);
  await log.close();
}

/** Reached once a start. */
const ONCE: readonly string[] = ['producer.opening'];

for (const failpoint of FAILPOINTS) {
  test(`killed at ${failpoint} twice, the job ends with every result exactly once`, { timeout: 60_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nodeflow-crash-'));
    try {
      for (const hit of ONCE.includes(failpoint) ? [1, 1] : [2, 3]) {
        const killed = await runChild(directory, `${failpoint}:${hit}:kill`);
        assert.equal(killed.signal, 'SIGKILL', `not killed: exit ${killed.code}\n${killed.errors}${killed.output}`);
      }
      const last = await runChild(directory, undefined);
      assert.equal(last.code, 0, last.errors);
      assert.match(last.output, /"how":"complete"/);
      await checkFolder(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
