import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { createFileLog } from '../../log/file/file.ts';
import { assertEveryHour, type Ended, startFlights } from './flights-job.ts';
import { naiveFlights } from './naive-flights.ts';

/** The main job as its own process, against figures computed without the engine. */
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-flights-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const expected = naiveFlights();

/** Bytes of what a folder has below it; files come and go while we look. */
function sizeOf(folder: string, isCounted = (_: string) => true): number {
  try {
    const paths = readdirSync(folder).filter(isCounted);
    return paths.reduce((sum, name) => {
      const path = join(folder, name);
      const stat = statSync(path);
      return sum + (stat.isDirectory() ? sizeOf(path) : stat.size);
    }, 0);
  } catch {
    return 0;
  }
}

/** Ends the job when its results, or its copies of the input, have grown to this size. */
async function endAt(directory: string, topic: string, bytes: number, signal: NodeJS.Signals): Promise<Ended> {
  const { child, ended } = startFlights(directory);
  const over = new AbortController();
  ended.then(() => over.abort());
  const topics = join(directory, 'log', 'topics');
  while (!over.signal.aborted && sizeOf(topics, (name) => name.startsWith(`${topic}@`)) < bytes)
    await systemClock.sleep(20, over.signal);
  child.kill(signal);
  return ended;
}

async function assertFolder(directory: string): Promise<void> {
  const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
  await assertEveryHour(log, await expected);
  await log.close();
}

async function assertRun(directory: string): Promise<string> {
  const { code, out, err } = await startFlights(directory).ended;
  assert.equal(code, 0, err);
  assert.deepEqual(out.trim().split('\n'), (await expected).lines);
  return err;
}

test('every airport-hour is what a naive reading of the files gives; a finished job starts anew', async () => {
  const { hours, flights } = await expected;
  assert.equal(hours.size, 424_259);
  assert.equal(flights, 3_000_000);
  const directory = join(folder, 'whole');
  assert.match(await assertRun(directory), /^flights: starting$/m);
  await assertFolder(directory);
  assert.match(await assertRun(directory), /^flights: starting$/m);
  await assertFolder(directory);
});

test('killed early, in the middle and late, the job ends with the same figures', async () => {
  const directory = join(folder, 'killed');
  for (const [topic, bytes] of [
    ['flights', 10 << 20],
    ['airport-hours', 4 << 20],
    ['airport-hours', 16 << 20],
  ] as const) {
    const { signal, err } = await endAt(directory, topic, bytes, 'SIGKILL');
    assert.equal(signal, 'SIGKILL', `ended before ${topic} had ${bytes} bytes: ${err}`);
  }
  assert.match(await assertRun(directory), /^flights: continuing/m);
  await assertFolder(directory);
});

test('stopped by SIGTERM it says how to go on, and goes on', async () => {
  const directory = join(folder, 'stopped');
  const { code, out, err } = await endAt(directory, 'airport-hours', 2 << 20, 'SIGTERM');
  assert.equal(code, 0, err);
  assert.equal(out, '');
  assert.match(err, /stopped; what was done is committed\. Start it again/);
  assert.match(await assertRun(directory), /^flights: continuing/m);
  await assertFolder(directory);
});
