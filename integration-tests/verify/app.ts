import {
  createTelemetry,
  type Engine,
  type EngineOptions,
  isFlowError,
  openEngine,
  type RunSettings,
  run,
} from '../../index.ts';
import { topology } from './job.ts';

/**
 * The job as a process of its own, killed, stopped and restarted by whoever verifies it. It takes its options as JSON
 * and says on its output, a line of JSON each, when it is ready, what it has done so far, and how it ended.
 */
export interface AppOptions {
  readonly engine: EngineOptions;
  readonly settings: Partial<RunSettings>;
}

export type AppEvent =
  | { readonly event: 'ready' }
  /** By the job, as its thread stands still from now on, or leaves. */
  | { readonly event: 'blocked' }
  | ({ readonly event: 'figures' } & AppFigures)
  | { readonly event: 'ended'; readonly how: string }
  | { readonly event: 'failed'; readonly code: string; readonly message: string };

export interface AppFigures {
  readonly records: number;
  /** Records known to wait. */
  readonly lag: number;
  readonly commits: number;
  /** Epochs that failed and were done again. */
  readonly rebuilds: number;
  readonly restored: number;
  /** What it holds for others, and how far that is behind. */
  readonly standbys: { readonly tasks: number; readonly lag: number };
  /** No pause of its tasks, as others came and went, was longer. */
  readonly pauseMs: number;
  readonly retries: number;
  readonly rssBytes: number;
  readonly degraded: boolean;
  readonly ill: boolean;
}

const LOOK_MS = 25;

const { engine: engineOptions, settings } = JSON.parse(process.argv[2]!) as AppOptions;
const say = (event: AppEvent) => console.log(JSON.stringify(event));

// whoever verifies reads why an epoch was done again on the error output
const telemetry = createTelemetry({ level: 'info', form: 'json' });
const total = (name: string) =>
  telemetry
    .snapshot()
    .filter((row) => row.name === name)
    .reduce((sum, row) => sum + (row.values[0] ?? 0), 0);

/** The bound of the last bucket that holds anything. */
function longestPauseMs(): number {
  let longest = 0;
  for (const { name, values, bounds = [] } of telemetry.snapshot()) {
    if (name !== 'nodeflow_assignment_pause_seconds') continue;
    const [count = 0, , ...buckets] = values;
    if (count === 0) continue;
    const last = buckets.indexOf(count);
    longest = Math.max(longest, last < 0 ? Number.POSITIVE_INFINITY : bounds[last]! * 1000);
  }
  return longest;
}

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());

let ended = false;
let opened: Engine | undefined;
try {
  const engine = await openEngine({ ...engineOptions, telemetry });
  opened = engine;
  const running = await run(topology, {
    engine,
    settings,
    stop: stopping.signal,
    module: { url: new URL('./job.ts', import.meta.url).href, name: 'topology' },
  });
  let wasReady = false;
  const sayFigures = () =>
    say({
      event: 'figures',
      records: running.progress().records,
      lag: running.progress().lag,
      commits: total('nodeflow_commits_total'),
      rebuilds: total('nodeflow_rebuilds_total'),
      restored: total('nodeflow_restore_records_total'),
      standbys: running.progress().standbys,
      pauseMs: longestPauseMs(),
      retries: total('nodeflow_log_retries_total'),
      rssBytes: process.memoryUsage.rss(),
      degraded: running.health().degraded !== undefined,
      ill: running.health().ill !== undefined,
    });
  const look = () => {
    if (ended) return;
    if (!wasReady && running.health().ready) {
      wasReady = true;
      say({ event: 'ready' });
    }
    sayFigures();
    engine.clock.after(LOOK_MS, look);
  };
  look();
  const { how } = await running.finished;
  ended = true;
  sayFigures();
  await engine.close();
  say({ event: 'ended', how });
} catch (thrown) {
  ended = true;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  say({ event: 'failed', code: isFlowError(thrown) ? thrown.code : 'unknown', message });
  console.error(thrown);
  process.exitCode = 1;
  await opened?.close();
}
