import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTelemetry, type ErrorCode, isFlowError, openEngine, run } from '../../index.ts';
import type { Log } from '../../log/log.ts';
import { assertFolderExact } from '../crash/exact.ts';
import { reportOf, runChild } from '../crash/run-child.ts';
import { readTopic } from '../support/read-topic.ts';
import { blockedUntil, blocking, failing, falling, LEFT, leaving, leavingOnce, out, unequal } from './fixtures.ts';

async function inFolder(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-workers-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const workers of [1, 2, 4]) {
  test(`${workers} worker threads over one file log give equal results`, { timeout: 600_000 }, () =>
    inFolder(async (directory) => {
      const ended = await runChild(directory, { workers });
      assert.equal(ended.code, 0, ended.errors);
      const { how, recordsByWorker } = reportOf(ended);
      assert.equal(how, 'complete');
      assert.equal(recordsByWorker.length, workers);
      assert.ok(
        recordsByWorker.every((records) => records > 0),
        `records by worker: ${recordsByWorker}`,
      );
      await assertFolderExact(directory);
      // the task that reads the generator has no store, so it takes no folder
      const tasks = [0, 1, 2, 3].map((partition) => `source.readings_${partition}`);
      assert.deepEqual(readdirSync(join(directory, 'state', 'crash', '0', 'stores')).sort(), tasks);
    }),
  );
}

test(
  'a job killed with two workers ends exactly with four, and one killed with four with one',
  { timeout: 600_000 },
  () =>
    inFolder(async (directory) => {
      for (const workers of [2, 4]) {
        const killed = await runChild(directory, { workers, failpoint: 'commit.ending:2:kill' });
        assert.equal(killed.signal, 'SIGKILL', `the job ended too soon: ${killed.output}${killed.errors}`);
      }
      const ended = await runChild(directory, { workers: 1 });
      assert.equal(reportOf(ended).how, 'complete', ended.errors);
      await assertFolderExact(directory);
    }),
);

async function assertEveryUpdate(log: Log): Promise<void> {
  const updates = (await readTopic(log, out)).map(({ key, value }) => `${key} ${value}`);
  const expected = Array.from({ length: 1000 }, (_, n) => `k${n % 20} ${Math.floor(n / 20) + 1}`);
  assert.deepEqual(updates.sort(), expected.sort());
}

const fixtures = { unequal, failing, falling, leaving };

const FAILURES: readonly { name: 'unequal' | 'failing' | 'falling' | 'leaving'; code: ErrorCode; says: RegExp }[] = [
  { name: 'unequal', code: 'plan.mismatch', says: /worker \d built another plan from .*fixtures\.ts/ },
  { name: 'failing', code: 'record.failed', says: /no seventy-sevens/ },
  { name: 'falling', code: 'worker.failed', says: /worker \d: Error: out of the blue/ },
  { name: 'leaving', code: 'worker.failed', says: /worker \d ended with exit code 7/ },
];

for (const { name, code, says } of FAILURES) {
  test(`two workers, ${name}: the run ends with ${code}`, { timeout: 600_000 }, async () => {
    const module = { url: new URL('./fixtures.ts', import.meta.url).href, name };
    const ended = run(fixtures[name], { log: 'memory', settings: { workers: 2 }, module }).then(
      (running) => running.finished,
    );
    await assert.rejects(ended, (thrown: unknown) => {
      assert.ok(isFlowError(thrown, code), String(thrown));
      assert.match(thrown.message, says);
      return true;
    });
  });
}

test(
  'a worker thread that is blocked for longer than its session is told and loses its place; the run ends exactly',
  {
    timeout: 600_000,
  },
  () =>
    inFolder(async (directory) => {
      const over = join(directory, 'over');
      const module = { url: blockedUntil(new URL('./fixtures.ts', import.meta.url), over), name: 'blocking' };
      const settings = { workers: 2, sessionTimeoutMs: 1500 };
      const engine = await openEngine({ log: 'memory' });
      const running = await run(blocking, { engine, settings, module });
      const until = async (holds: () => boolean | Promise<boolean>) => {
        while (!(await holds())) await engine.clock.sleep(20);
      };
      const members = async () =>
        (await engine.log.admin.groups()).find(({ group }) => group === 'blocking')?.members.length ?? 0;
      let health = running.health();
      await until(() => {
        health = running.health();
        return health.degraded !== undefined;
      });
      assert.match(health.degraded!, /^worker \d has been blocked for \d+ ms$/);
      assert.deepEqual([health.ready, health.ill], [false, undefined]);
      await until(() => /blocked/.test(running.progress().degraded ?? ''));
      await until(async () => (await members()) === 0);
      writeFileSync(over, '');
      await until(async () => (await members()) === 1);
      await until(() => running.health().degraded === undefined);
      assert.equal((await running.finished).how, 'complete');
      await assertEveryUpdate(engine.log);
      await engine.close();
    }),
);

test(
  'a worker thread that is ended by its own code is replaced, with its stores; the run ends exactly',
  {
    timeout: 600_000,
  },
  () =>
    inFolder(async (directory) => {
      const module = { url: new URL('./fixtures.ts', import.meta.url).href, name: 'leavingOnce' };
      process.env[LEFT] = join(directory, 'left');
      const lines: string[] = [];
      const telemetry = createTelemetry({ level: 'warn', form: 'json', sink: { write: (line) => lines.push(line) } });
      const engine = await openEngine({ directory, telemetry });
      const running = await run(leavingOnce, { engine, settings: { workers: 2 }, module });
      assert.equal((await running.finished).how, 'complete');
      const told = lines.filter((line) =>
        /worker \d ended with exit code 7; another thread takes its place/.test(line),
      );
      assert.equal(told.length, 1, lines.join('\n'));
      await assertEveryUpdate(engine.log);
      await engine.close();
    }),
);

test('the command line ends with the exit code of what failed in a worker', { timeout: 600_000 }, () =>
  inFolder(async (directory) => {
    const main = join(import.meta.dirname, '../../cli/main.ts');
    const file = join(import.meta.dirname, 'fixtures.ts');
    const args = ['run', file, '--name', 'falling', '--workers', '2', '--data', directory];
    const ended = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    assert.equal(ended.status, 1, ended.stderr);
    assert.match(ended.stderr, /out of the blue.*worker\.failed/);
    assert.ok(!ended.stderr.includes(' at '), 'no stack without --verbose');
  }),
);
