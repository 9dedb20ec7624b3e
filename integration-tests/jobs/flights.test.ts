import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { airportHours } from '../../examples/flights/topology.ts';
import { createFileLog } from '../../log/file/file.ts';
import { readTopic } from '../../runtime/runtime.ts';
import { naiveFlights } from './naive-flights.ts';

/** The main job as its own process, against figures computed without the engine. */
const main = join(import.meta.dirname, '..', '..', 'examples', 'flights', 'main.ts');
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-flights-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const expected = naiveFlights();

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

function start(directory: string, ...more: readonly string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODEFLOW_')));
  const child = spawn(process.execPath, [main, '--json', '--data', directory, ...more], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (texts.out += chunk));
  child.stderr.on('data', (chunk) => (texts.err += chunk));
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, ...texts })),
  );
  return { child, ended };
}

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
  const { child, ended } = start(directory);
  const over = new AbortController();
  ended.then(() => over.abort());
  const topics = join(directory, 'log', 'topics');
  while (!over.signal.aborted && sizeOf(topics, (name) => name.startsWith(`${topic}@`)) < bytes)
    await systemClock.sleep(20, over.signal);
  child.kill(signal);
  return ended;
}

async function assertEveryHour(directory: string): Promise<void> {
  const { hours, flights } = await expected;
  const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
  const seen = new Set<string>();
  let departures = 0;
  await readTopic(log, airportHours, (value, hour) => {
    const key = `${hour.key} ${hour.start}`;
    const wanted = hours.get(key);
    assert.ok(wanted !== undefined && value !== null, `${key} is not among the naive figures`);
    assert.ok(!seen.has(key), `${key} comes twice`);
    seen.add(key);
    departures += value.departures;
    for (const [name, figure] of Object.entries(wanted)) {
      assert.equal(value[name as keyof typeof wanted], figure, `${name} of ${key}`);
    }
  });
  await log.close();
  assert.equal(seen.size, hours.size);
  assert.equal(departures, flights);
}

async function assertRun(directory: string): Promise<string> {
  const { code, out, err } = await start(directory).ended;
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
  await assertEveryHour(directory);
  assert.match(await assertRun(directory), /^flights: starting$/m);
  await assertEveryHour(directory);
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
  await assertEveryHour(directory);
});

test('stopped by SIGTERM it says how to go on, and goes on', async () => {
  const directory = join(folder, 'stopped');
  const { code, out, err } = await endAt(directory, 'airport-hours', 2 << 20, 'SIGTERM');
  assert.equal(code, 0, err);
  assert.equal(out, '');
  assert.match(err, /stopped; what was done is committed\. Start it again/);
  assert.match(await assertRun(directory), /^flights: continuing/m);
  await assertEveryHour(directory);
});
