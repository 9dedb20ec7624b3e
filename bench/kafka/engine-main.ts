import { once } from 'node:events';
import { systemClock } from '../../core/clock.ts';
import { openEngine, run } from '../../index.ts';
import { KAFKA_ROWS, type Places } from './rows.ts';

/**
 * Runs a row with the engine, in a process of its own: `engine-main <JSON>`. Says in lines of JSON
 * when it has taken `warm` records and when all are committed; ends when standard input does. With no records to
 * take it runs until then.
 */
export interface EngineJob extends Places {
  readonly brokers: string;
  /** The folder of the local stores. */
  readonly directory: string;
  readonly row: string;
  readonly records: number;
  readonly warm: number;
  readonly compression: 'none' | 'lz4';
  readonly commitIntervalMs: number;
  /** Records between two looks at whether a commit is due. Default: the engine's. */
  readonly sliceRecords?: number;
  readonly guarantee: 'exactly-once' | 'at-least-once';
}

const job = JSON.parse(process.argv[2]!) as EngineJob;
const engine = await openEngine({ brokers: job.brokers, directory: job.directory });
const { compression, commitIntervalMs, guarantee, sliceRecords } = job;
const until = job.records > 0 ? 'end' : 'drained';
const running = await run(KAFKA_ROWS[job.row]!.program(job), {
  engine,
  settings: {
    compression,
    commitIntervalMs,
    guarantee,
    until,
    ...(sliceRecords === undefined ? {} : { sliceRecords }),
  },
});

const commits = () =>
  engine.telemetry
    .snapshot()
    .filter(({ name }) => name === 'nodeflow_commits_total')
    .reduce((sum, { values }) => sum + values[0]!, 0);
const say = (at: 'mark' | 'end') =>
  console.log(JSON.stringify({ at, records: running.progress().records, commits: commits() }));

let ended = false;
void running.finished.then(
  () => {
    ended = true;
  },
  (thrown) => {
    console.error(thrown);
    process.exit(1);
  },
);
if (job.records > 0) {
  while (!ended && running.progress().records < job.warm) await systemClock.sleep(10);
  say('mark');
  await running.finished;
  say('end');
} else {
  while (!running.health().ready) await systemClock.sleep(10);
  say('mark');
}
process.stdin.resume();
await once(process.stdin, 'end');
if (!ended) await running.drain();
await engine.close();
