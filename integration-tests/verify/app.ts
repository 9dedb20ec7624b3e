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
  /** The loop stands still for so long once, when so many records are done. */
  readonly block?: { readonly afterRecords: number; readonly forMs: number };
}

export type AppEvent =
  | { readonly event: 'ready' }
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
  readonly ill: boolean;
}

const LOOK_MS = 25;

const { engine: engineOptions, settings, block } = JSON.parse(process.argv[2]!) as AppOptions;
const say = (event: AppEvent) => console.log(JSON.stringify(event));

// whoever verifies reads why an epoch was done again on the error output
const telemetry = createTelemetry({ level: 'info', form: 'json' });
const total = (name: string) =>
  telemetry
    .snapshot()
    .filter((row) => row.name === name)
    .reduce((sum, row) => sum + (row.values[0] ?? 0), 0);

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
  let blocked = block === undefined;
  const sayFigures = () =>
    say({
      event: 'figures',
      records: running.progress().records,
      lag: running.progress().lag,
      commits: total('nodeflow_commits_total'),
      rebuilds: total('nodeflow_rebuilds_total'),
      restored: total('nodeflow_restore_records_total'),
      standbys: running.progress().standbys,
      ill: running.health().ill !== undefined,
    });
  const look = () => {
    if (ended) return;
    if (!wasReady && running.health().ready) {
      wasReady = true;
      say({ event: 'ready' });
    }
    sayFigures();
    if (!blocked && running.progress().records >= block!.afterRecords) {
      blocked = true;
      const until = engine.clock.monotonic() + block!.forMs;
      while (engine.clock.monotonic() < until);
    }
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
