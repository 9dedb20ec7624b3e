import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEngine, readTopic, resetIfComplete, run } from '../../index.ts';
import { jsonLine, printable, ResultCollector } from './results.ts';
import { airportHours, topology } from './topology.ts';

/** The main job: `npm start`, `npm start -- --json`. */
const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, data: { type: 'string' } },
});
const directory = options.data ?? join(import.meta.dirname, '..', '..', '.nodeflow', 'flights');

const engine = await openEngine({ directory });
const program = topology.build();
await resetIfComplete({ plan: program.plan, log: engine.log, directory: engine.stateFolder, clock: engine.clock });
const running = await run(program, { engine, settings: { commitIntervalMs: 1000 } });
const outcome = await running.finished;
if (outcome.how === 'complete') {
  const collector = new ResultCollector();
  await readTopic(engine.log, airportHours, (value, hour) => {
    if (value !== null) collector.add(hour, value);
  });
  const results = collector.results();
  if (options.json) {
    for (const hour of results.worst) console.log(jsonLine(hour));
    console.log(JSON.stringify({ airportHours: results.airportHours, flights: results.flights }));
  } else console.log(printable(results));
}
await engine.close();
