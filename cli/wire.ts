import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { setFailpointOf } from '../core/failpoints.ts';
import { seededRandom } from '../core/random.ts';
import { createFileLog, type FileLog } from '../log/file/file.ts';
import type { KafkaOptions } from '../log/kafka/options.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import {
  DEFAULT_SETTINGS,
  MetricSet,
  type ModuleRef,
  openRegistryAt,
  type RegistryAddress,
  type Run,
  type RunRegistry,
  type RunSettings,
  startRun,
} from '../runtime/runtime.ts';
import type { RegistryOptions } from '../schemas/schemas.ts';
import { createStateBackend, type StateBackend } from '../state/state.ts';
import { registerSecretsOf, silentTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Program, Renames } from '../topology/topology.ts';

/**
 * Where the rooms are put together: which log, which stores, which telemetry. The command line uses it, and so
 * does the package root for applications that start a topology themselves.
 */
export interface EngineOptions {
  /** The folder of the local stores and of the `file` log. Default `.nodeflow/data` in the current folder. */
  readonly directory?: string;
  /**
   * `memory` keeps nothing: topics and stores end with the process. `kafkajs` and `confluent` are a Kafka cluster by
   * the clients of those names, which have to be installed. Default: `kafka` with `brokers`, else `file`.
   */
  readonly log?: LogDriver;
  /** The brokers of a Kafka cluster: `host:port`, several with commas between. */
  readonly brokers?: string;
  /** How to reach them, where that takes more than their addresses. */
  readonly kafka?: KafkaSettings;
  /**
   * Where the schemas of registered serdes are kept: a registry by its address, or `embedded` for one on the log itself.
   * Default: `embedded` on the logs that need no cluster, none on a cluster.
   */
  readonly registry?: RegistryOptions | 'embedded' | undefined;
  /** Default: metrics are kept and no log is written. */
  readonly telemetry?: Telemetry;
}

export type LogDriver = 'file' | 'memory' | 'kafka' | 'kafkajs' | 'confluent';

/** Security and names towards a Kafka cluster. */
export type KafkaSettings = Omit<KafkaOptions, 'brokers' | 'clock' | 'random'>;

/** A log and stores, open until `close`. With the `file` log, the folder has one owner at a time. */
export interface Engine {
  readonly log: Log;
  readonly state: StateBackend;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** `undefined` where none is configured. */
  readonly registry?: RunRegistry | undefined;
  /** The folder of the local stores, `undefined` for memory alone. */
  readonly stateFolder: string | undefined;
  close(): Promise<void>;
}

export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  setFailpointOf(process.env);
  registerSecretsOf(process.env);
  const folder = resolve(options.directory ?? join('.nodeflow', 'data'));
  const driver = logDriver(options);
  const telemetry = options.telemetry ?? silentTelemetry();
  const log = await openLog(driver, folder, options, telemetry);
  const address = registryAddress(options, driver);
  const random = seededRandom(systemClock.now());
  const opened = address === undefined ? undefined : openRegistryAt(address, { log, clock: systemClock, random });
  const state = createStateBackend({ onUnavailable: (message) => telemetry.log.warn({}, message) });
  return {
    log,
    state,
    telemetry,
    clock: systemClock,
    registry: opened === undefined ? undefined : { client: opened.client, address: address! },
    stateFolder: driver === 'memory' ? undefined : join(folder, 'state'),
    async close() {
      await state.close();
      await opened?.close();
      await log.close();
    },
  };
}

function registryAddress({ registry }: EngineOptions, driver: LogDriver): RegistryAddress | undefined {
  if (registry === 'embedded') return { kind: 'embedded' };
  if (registry !== undefined) return { kind: 'http', options: registry };
  return driver === 'file' || driver === 'memory' ? { kind: 'embedded' } : undefined;
}

/** Which kind of log the options choose. */
export function logDriver({ log, brokers }: Pick<EngineOptions, 'log' | 'brokers'>): LogDriver {
  return log ?? (brokers === undefined ? 'file' : 'kafka');
}

async function openLog(
  driver: LogDriver,
  folder: string,
  { brokers, kafka }: EngineOptions,
  telemetry: Telemetry,
): Promise<Log> {
  if (driver === 'memory') return createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  if (driver === 'file') {
    return observed(await createFileLog({ directory: join(folder, 'log'), clock: systemClock }), telemetry);
  }
  if (brokers === undefined) {
    throw new FlowError('config.invalid', `the log is ${driver}, but no broker is named; set \`brokers\` to host:port`);
  }
  const cluster = { ...kafka, brokers, clock: systemClock, random: seededRandom(systemClock.now()) };
  // loaded only where they are used: a client takes a second to load
  if (driver === 'kafkajs') return (await import('../log/kafkajs/kafkajs.ts')).createKafkaJsLog(cluster);
  if (driver === 'confluent') return (await import('../log/confluent/confluent.ts')).createConfluentLog(cluster);
  return (await import('../log/kafka/kafka.ts')).createKafkaLog(cluster);
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
  /** A bounded run that finds the last one complete forgets all of it and does the work anew. */
  readonly anew?: boolean;
  /** Stores that have other names than in the topology that ran before: new ones by old ones. */
  readonly renames?: Renames | undefined;
  /** When it aborts, the run is drained: the epoch in hand is committed, and the run can be continued later. */
  readonly stop?: AbortSignal;
}

/** A running application; `finished` also closes an engine that was opened for it. */
export type Running = Run & { readonly engine: Engine };

/**
 * Starts a topology, or the program that its `build()` answered. On a cluster whose clock is far from ours it fails with
 * `kafka.clock` before it has done anything.
 */
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
    await engine.log.checkClock?.();
    started = await startRun({
      program,
      log: engine.log,
      state: engine.state,
      directory: engine.stateFolder,
      clock: engine.clock,
      telemetry: engine.telemetry,
      registry: engine.registry,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
      module: options.module,
      anew: options.anew,
      renames: options.renames,
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
    continued: started.continued,
    async drain() {
      await started.drain();
      await finished;
    },
    query: started.query,
    progress: () => started.progress(),
    health: () => started.health(),
  };
}

const ONE_DAY_MS = 86_400_000;

/** Keeps the process from ending while an application waits for records. */
async function keepAlive(clock: Clock, ended: AbortSignal): Promise<void> {
  while (await clock.sleep(ONE_DAY_MS, ended));
}
