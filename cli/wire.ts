import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { failpointFromText, setFailpointHook } from '../core/failpoints.ts';
import { seededRandom } from '../core/random.ts';
import { createFileLog, type FileLog } from '../log/file/file.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import {
  DEFAULT_SETTINGS,
  MetricSet,
  type ModuleRef,
  type Run,
  type RunSettings,
  startRun,
} from '../runtime/runtime.ts';
import { createStateBackend, type StateBackend } from '../state/state.ts';
import { registerSecretsOf, silentTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Program } from '../topology/topology.ts';

/**
 * Where the rooms are put together: which log, which stores, which telemetry. The command line uses it, and so
 * does the package root for applications that start a topology themselves.
 */
export interface EngineOptions {
  /** The folder of the log and of the local stores. Default `.nodeflow/data` in the current folder. */
  readonly directory?: string;
  /** `memory` keeps nothing: topics and stores end with the process. Default `file`. */
  readonly log?: 'file' | 'memory';
  /** Default: metrics are kept and no log is written. */
  readonly telemetry?: Telemetry;
}

/** A log and stores, open until `close`. With the `file` log, the folder has one owner at a time. */
export interface Engine {
  readonly log: Log;
  readonly state: StateBackend;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** The folder of the local stores, `undefined` for memory alone. */
  readonly stateFolder: string | undefined;
  close(): Promise<void>;
}

export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const failpoint = process.env['NODEFLOW_FAILPOINT'];
  if (failpoint !== undefined) setFailpointHook(failpointFromText(failpoint));
  registerSecretsOf(process.env);
  const folder = resolve(options.directory ?? join('.nodeflow', 'data'));
  const isFile = (options.log ?? 'file') === 'file';
  const telemetry = options.telemetry ?? silentTelemetry();
  const log = isFile
    ? observed(await createFileLog({ directory: join(folder, 'log'), clock: systemClock }), telemetry)
    : createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const state = createStateBackend({ onUnavailable: (message) => telemetry.log.warn({}, message) });
  return {
    log,
    state,
    telemetry,
    clock: systemClock,
    stateFolder: isFile ? join(folder, 'state') : undefined,
    async close() {
      await state.close();
      await log.close();
    },
  };
}

function observed(log: FileLog, telemetry: Telemetry): FileLog {
  const metrics = new MetricSet(telemetry, {});
  metrics.observe('nodeflow_log_syncs_total', {}, () => log.figures().syncs);
  metrics.observe('nodeflow_log_entries_total', {}, () => log.figures().entries);
  metrics.observe('nodeflow_log_journal_bytes', {}, () => log.figures().journalBytes);
  return log;
}

export interface RunApplicationOptions extends EngineOptions {
  /** An engine that is open already; it stays open behind the run. */
  readonly engine?: Engine;
  readonly settings?: Partial<RunSettings>;
  /** With more than one worker: the module that exports the topology, and under which name. */
  readonly module?: ModuleRef;
  /** When it aborts, the run is drained: the epoch in hand is committed, and the run can be continued later. */
  readonly stop?: AbortSignal;
}

/** A running application; `finished` also closes an engine that was opened for it. */
export type Running = Run & { readonly engine: Engine };

/** Starts a topology, or the program that its `build()` answered. */
export async function run(
  application: Program | { build(): Program },
  options: RunApplicationOptions = {},
): Promise<Running> {
  const program = 'build' in application ? application.build() : application;
  const engine = options.engine ?? (await openEngine(options));
  const close = async () => {
    if (options.engine === undefined) await engine.close();
  };
  let started: Run;
  try {
    started = await startRun({
      program,
      log: engine.log,
      state: engine.state,
      directory: engine.stateFolder,
      clock: engine.clock,
      telemetry: engine.telemetry,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
      module: options.module,
    });
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const ended = new AbortController();
  void keepAlive(engine.clock, ended.signal);
  const stop = () => void started.drain().catch(() => undefined);
  if (options.stop?.aborted) stop();
  options.stop?.addEventListener('abort', stop, { once: true });
  const finished = started.finished.finally(() => {
    options.stop?.removeEventListener('abort', stop);
    ended.abort();
    return close();
  });
  finished.catch(() => undefined);
  return {
    engine,
    finished,
    async drain() {
      await started.drain();
      await finished;
    },
    progress: () => started.progress(),
    health: () => started.health(),
  };
}

const ONE_DAY_MS = 86_400_000;

/** Keeps the process from ending while an application waits for records. */
async function keepAlive(clock: Clock, ended: AbortSignal): Promise<void> {
  while (await clock.sleep(ONE_DAY_MS, ended));
}
