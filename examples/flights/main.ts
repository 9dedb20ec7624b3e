import { join } from 'node:path';
import {
  configuredLog,
  createTelemetry,
  type Engine,
  isFlowError,
  openEngine,
  readTopic,
  run,
  runMain,
  showProgress,
  type World,
} from '../../index.ts';
import { OPTIONS_HELP, readOptions } from '../options.ts';
import { jsonLine, ResultCollector, type Results, totalsLine } from './results.ts';
import { printable } from './show.ts';
import { airportHours, topology } from './topology.ts';

/** The main job: `npm start`, `npm start -- --json`. */
const HELP = ['Delays per airport and hour, from three million flights.', '', 'Options:', ...OPTIONS_HELP];
const FOLDER = join(import.meta.dirname, '..', '..', '.nodeflow', 'flights');
const WIDTH = 120;
const LOCK_WAIT_MS = 2000;
const LOCK_PAUSE_MS = 100;

await runMain(async (world) => {
  const options = readOptions(process.argv.slice(2), FOLDER);
  if (options.help) {
    for (const line of HELP) world.out(line);
    return;
  }
  const engine = await openPatiently(options.data, world);
  try {
    const results = await runFlights(engine, world);
    if (results === undefined) return;
    if (options.json) {
      for (const hour of results.worst) world.out(jsonLine(hour));
      world.out(totalsLine(results));
    } else world.out(printable(results, process.stdout.columns ?? WIDTH));
  } finally {
    await engine.close();
  }
});

/** A process that was killed a moment ago may still hold the folder. */
async function openPatiently(directory: string, world: World): Promise<Engine> {
  const telemetry = telemetryOf(world);
  const { clock } = world;
  for (const giveUpAt = clock.monotonic() + LOCK_WAIT_MS; ; await clock.sleep(LOCK_PAUSE_MS, world.stop)) {
    try {
      return await openEngine({ directory, telemetry, ...configuredLog(world) });
    } catch (thrown) {
      if (!isFlowError(thrown, 'log.locked') || clock.monotonic() >= giveUpAt || world.stop.aborted) throw thrown;
    }
  }
}

/** Runs the job to its end and collects what it wrote; `undefined` where it was stopped before. */
async function runFlights(engine: Engine, world: World): Promise<Results | undefined> {
  const { log, clock } = engine;
  const started = clock.monotonic();
  const settings = { commitIntervalMs: 1000 };
  const running = await run(topology, { engine, settings, anew: true, stop: world.stop });
  world.err(running.continued ? 'flights: continuing where a run was begun' : 'flights: starting');
  const hideProgress = showProgress(running, world);
  const { how, records } = await running.finished.finally(hideProgress);
  const seconds = (clock.monotonic() - started) / 1000;
  if (how !== 'complete') {
    world.err('flights: stopped; what was done is committed. Start it again with the same options, and it continues.');
    return undefined;
  }
  const rate = Math.round(records / seconds).toLocaleString('en-US');
  world.err(`flights: complete, ${records.toLocaleString('en-US')} records in ${seconds.toFixed(1)} s, ${rate}/s`);
  const collector = new ResultCollector();
  await readTopic(log, airportHours, (value, hour) => {
    if (value !== null) collector.add(hour, value);
  });
  return collector.results();
}

/** Warnings, such as that of a store that is rebuilt, go to standard error. */
function telemetryOf(world: World) {
  return createTelemetry({
    level: 'warn',
    form: world.over === undefined ? 'json' : 'plain',
    fields: { application: 'flights' },
    sink: {
      write: (line) => {
        world.over?.('');
        world.err(line.trimEnd());
      },
    },
  });
}
