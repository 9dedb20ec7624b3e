import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VirtualClock } from '../../core/clock.ts';
import { Bench } from '../conformance/bench.conformance.ts';
import { createFileLog, FILE_FAILPOINTS } from './file.ts';

const CHILD = fileURLToPath(new URL('./kill-child.fixture.ts', import.meta.url));

test('a process killed at any failpoint loses nothing that was answered', { concurrency: 2 }, async (t) => {
  const cases = FILE_FAILPOINTS.map((name) =>
    t.test(name, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'nodeflow-kill-'));
      const report = join(directory, 'report');
      const folder = join(directory, 'log');
      try {
        // Something to find for the second life, and for recovery a tail that must be cut.
        if (name === 'file.recovery.cut') {
          await run(folder, report, 0, 'file.journal.written:20');
          await tear(folder);
        }
        assert.equal(await run(folder, report, 1000, `${name}:1`), 'SIGKILL');
        await verify(folder, report);
        await run(folder, report, 2000, `${name}:3`);
        await verify(folder, report);
        assert.match(await readFile(report, 'utf8'), new RegExp(`^hit ${name}$`, 'm'));
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    }),
  );
  await Promise.all(cases);
});

/** How the child ended: its signal or exit code. */
function run(folder: string, report: string, from: number, failpoint: string): Promise<string | number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, folder, report, String(from)], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODEFLOW_FAILPOINT: failpoint },
    });
    let errors = '';
    child.stderr.on('data', (part) => {
      errors += String(part);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code !== 0 && signal === null) reject(new Error(`the child failed: ${errors}`));
      else resolve(signal ?? code);
    });
  });
}

/** Puts half a batch behind the segments, as a torn write does. */
async function tear(folder: string): Promise<void> {
  for (const topic of await readdir(join(folder, 'topics'))) {
    if (!topic.startsWith('work')) continue;
    const directory = join(folder, 'topics', topic, '0');
    const segments = (await readdir(directory)).filter((name) => name.endsWith('.log')).sort();
    await appendFile(join(directory, segments[segments.length - 1]!), Buffer.alloc(100, 1));
  }
}

async function verify(folder: string, report: string): Promise<void> {
  const lines = (await readFile(report, 'utf8').catch(() => '')).split('\n');
  const numbers = (word: string) =>
    new Set(lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(' ')[1]));
  const tried = numbers('try');
  const log = await createFileLog({ directory: folder, clock: new VirtualClock(), options: { maintainMs: 0 } });
  try {
    if ((await log.admin.describe('work')) === undefined) {
      assert.equal(numbers('done').size, 0, 'the topic is there');
      return;
    }
    const bench = new Bench({ log, clock: new VirtualClock(), close: async () => undefined });
    const seen = new Map<string, number>();
    for (let partition = 0; partition < 2; partition++) {
      for (const { key } of await bench.read('work', 'committed', undefined, partition)) {
        const n = key!.split('-')[0]!;
        seen.set(n, (seen.get(n) ?? 0) + 1);
      }
    }
    for (const n of numbers('done')) assert.equal(seen.get(n!), 4, `commit ${n} was answered`);
    for (const [n, count] of seen) {
      assert.ok(tried.has(n), `commit ${n} was asked for`);
      assert.equal(count, 4, `commit ${n} is whole and there once`);
    }
  } finally {
    await log.close();
  }
}
