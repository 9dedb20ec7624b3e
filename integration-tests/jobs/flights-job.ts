import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { airportHours } from '../../examples/flights/topology.ts';
import type { Log } from '../../log/log.ts';
import { readTopic } from '../../runtime/runtime.ts';
import type { Expected } from './naive-flights.ts';

/** The main job as a process of its own. */
const main = join(import.meta.dirname, '..', '..', 'examples', 'flights', 'main.ts');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the job over a folder; `settings` are configuration keys as environment variables. */
export function startFlights(directory: string, settings: { readonly [name: string]: string } = {}) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('NODEFLOW_'));
  const child = spawn(process.execPath, [main, '--json', '--data', directory], {
    env: { ...Object.fromEntries(own), ...settings },
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

/** Every airport-hour of the log is there once, with the figures of a naive reading of the files. */
export async function assertEveryHour(log: Log, { hours, flights }: Expected): Promise<void> {
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
  assert.equal(seen.size, hours.size);
  assert.equal(departures, flights);
}
