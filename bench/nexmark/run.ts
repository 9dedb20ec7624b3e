import { systemClock } from '../../core/clock.ts';
import { createFileLog } from '../../log/file/file.ts';
import type { Log } from '../../log/log.ts';
import { DEFAULT_SETTINGS, readTopic, resetApplication, startRun } from '../../runtime/runtime.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { Digest } from './digest.ts';
import { events, load } from './load.ts';
import { QUERIES } from './queries.ts';
import type { Query } from './query.ts';
import { PARTITIONS } from './topics.ts';

/**
 * One measurement in a process of its own:
 *
 *     node bench/nexmark/run.ts prepare <folder> <events> <seed>
 *     node bench/nexmark/run.ts engine <folder> <events> <seed> <query> <runs before the one that counts>
 *
 * Answers a line of JSON: CPU nanoseconds for each event that the query reads, of the whole process (user and system,
 * all threads), wall time, and whether the output is what a plain computation makes of the events.
 */
const [mode, folder, count, seed, name, warmUps] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

async function runQuery(log: Log, query: Query): Promise<number> {
  const { name: output, partitions } = query.output;
  if ((await log.admin.describe(output)) !== undefined) await log.admin.delete(output);
  await log.admin.create(output, { partitions });
  const program = query.program();
  const directory = `${folder}/state`;
  await resetApplication({ plan: program.plan, log, directory, outputs: true });
  const state = createStateBackend({});
  const run = await startRun({
    ...{ program, log, state, directory, clock: systemClock, telemetry: silentTelemetry() },
    settings: { ...DEFAULT_SETTINGS, until: 'end' },
  });
  await run.finished;
  await state.close();
  let read = 0;
  for (const input of query.inputs) {
    for (let p = 0; p < PARTITIONS; p++) read += (await log.admin.bounds(input, p)).stable;
  }
  return read;
}

async function outputOf(log: Log, query: Query): Promise<Digest> {
  const digest = new Digest();
  const results = query.results(digest.add);
  await readTopic(log, query.output, (value, key) => results.take(value, key));
  results.end();
  return digest;
}

function expectedOf(query: Query): Digest {
  const digest = new Digest();
  for (const line of query.expected(events(Number(count), Number(seed)))) digest.add(line);
  return digest;
}

async function measure(log: Log): Promise<void> {
  const query = QUERIES[name]!;
  for (let n = 0; n < Number(warmUps); n++) await runQuery(log, query);
  const before = process.cpuUsage();
  const start = performance.now();
  const read = await runQuery(log, query);
  const { user, system } = process.cpuUsage(before);
  const wallMs = Math.round(performance.now() - start);
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const output = await outputOf(log, query);
  const expected = expectedOf(query);
  const cpuNsPerEvent = Math.round(((user + system) * 1000) / read);
  const equal = output.text === expected.text && output.lines === expected.lines;
  console.log(
    JSON.stringify({
      ...{ query: name, events: read, cpuNsPerEvent, wallMs, peakMb, results: output.lines },
      ...{ expected: expected.lines, equal },
    }),
  );
}

const log = await createFileLog({ directory: `${folder}/log`, clock: systemClock });
if (mode === 'prepare') await load(log, Number(count), Number(seed));
else await measure(log);
await log.close();
