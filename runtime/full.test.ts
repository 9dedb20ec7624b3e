import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { assertExact } from '../integration-tests/crash/exact.ts';
import { topology } from '../integration-tests/crash/topology.ts';
import { createFileLog } from '../log/file/file.ts';
import { SimulatedDisk } from '../log/file/simulated-disk.fixture.ts';
import type { Log } from '../log/log.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const DIRECTORY = '/data/log';

function start(log: Log) {
  return startRun({
    program: topology.build(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, batchBytes: 4096, sliceRecords: 300 },
  });
}

/** Fills the disk when so many records were taken, and waits until the run has ended for it. */
async function runIntoFullDisk(log: Log, disk: SimulatedDisk, records: number): Promise<void> {
  const run = await start(log);
  const ended = assert.rejects(run.finished, (thrown: unknown) => {
    assert.ok(isFlowError(thrown, 'log.full'), String(thrown));
    assert.match(thrown.message, /\/data\/log cannot be written .*free space/);
    return true;
  });
  while (run.progress().records < records) await systemClock.turn();
  disk.full = 'ENOSPC';
  await ended;
  assert.ok(disk.counts.refused > 0);
}

test('a full disk stops the run with one clear error; with space again it goes on, nothing lost, nothing twice', {
  timeout: 240_000,
}, async () => {
  const disk = new SimulatedDisk(seededRandom(3));
  for (const records of [5000, 8000]) {
    disk.full = undefined;
    const log = await createFileLog({ directory: DIRECTORY, clock: systemClock, fs: disk.mount() });
    await runIntoFullDisk(log, disk, records);
    await log.close().catch(() => undefined);
  }
  disk.full = undefined;
  const log = await createFileLog({ directory: DIRECTORY, clock: systemClock, fs: disk.mount() });
  const run = await start(log);
  assert.equal((await run.finished).how, 'complete');
  await assertExact(log);
  await log.close();
});

test('the same log goes on when space has come back while it is open', { timeout: 240_000 }, async () => {
  const disk = new SimulatedDisk(seededRandom(4));
  const clock = new VirtualClock(systemClock.now());
  const log = await createFileLog({ directory: DIRECTORY, clock, fs: disk.mount() });
  await runIntoFullDisk(log, disk, 5000);
  disk.full = undefined;
  // the log looks for space at most once a second
  clock.advance(1100);
  const run = await start(log);
  assert.equal((await run.finished).how, 'complete');
  await assertExact(log);
  await log.close();
});
