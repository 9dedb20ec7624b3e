import { Step } from '../core/step.ts';
import type { GroupIdentity } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { KnownSchemas, RegistryOutage } from '../schemas/schemas.ts';
import type { Budget } from '../state/state.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import { BudgetShare } from './budget-share.ts';
import type { TopicLimits } from './deploy.ts';
import { GlobalFeed } from './global-feed.ts';
import { type LaneWorker, openLaneWorker } from './lane-worker.ts';
import { MetricSet } from './metrics.ts';
import type { WorkerObserver } from './observer.ts';
import { Quarantine } from './quarantine.ts';
import type { StoreRequest } from './read-store.ts';
import type { RestoreFigures } from './restores.ts';
import type { RunOptions } from './runtime.ts';
import type { SchemaWaits } from './schema-waits.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';
import { StageTimes } from './stage-times.ts';
import { type OpenStandbyParts, Standby, type StoreFigures } from './standby.ts';
import { StandbySet } from './standby-set.ts';
import type { TopicInput } from './topic-input.ts';
import type { Lane } from './transactional-id.ts';
import { WorkerReport } from './worker-report.ts';

/** A worker as the supervisor sees it, in this thread or another. */
export interface WorkerHost {
  /** Ends when the worker was stopped; rejects with what made it fail. */
  readonly finished: Promise<void>;
  /**
   * The process has these tasks now, under a new identity: those of them that the worker has it may commit, and no
   * others. Takes effect at once, since an epoch on its way may wait for it.
   */
  renew(identity: GroupIdentity, tasks: readonly string[]): void;
  /** The tasks that it has from now on, and those of which it holds a standby. */
  assign(identity: GroupIdentity, tasks: readonly string[], standbys: readonly string[]): Promise<void>;
  /** Commits what was done so far and gives up those of these tasks that it has. */
  revoke(tasks: readonly string[]): Promise<void>;
  /** Asks a store of tasks that it has. */
  query(request: StoreRequest): Promise<readonly FoundRow[]>;
  stop(): void;
  figures(): WorkerFigures;
}

export interface WorkerFigures {
  readonly records: number;
  readonly lag: number;
  readonly streamTime: number | undefined;
  readonly tasks: number;
  /** Those of them that commit alone, since they had failed again and again. */
  readonly quarantined: readonly string[];
  readonly inputs: readonly InputFigures[];
  /** The state that it holds, of tasks and of standbys; a task that runs is at the end. */
  readonly stores: readonly StoreFigures[];
  readonly standbys: { readonly tasks: number; readonly lag: number };
  readonly restore: RestoreFigures | undefined;
  /** All its tasks are restored and run. */
  readonly ready: boolean;
  /** Time since its loop last turned. */
  readonly silentMs: number;
  /** Time since its thread last gave a sign of life; 0 where it is the thread that asks. */
  readonly blockedMs: number;
  /** Records wait for a schema of a registry that does not answer. */
  readonly registryOutage: RegistryOutage | undefined;
}

/** How far a task has come in one of its inputs. */
export interface InputFigures {
  readonly task: string;
  readonly topic: string;
  /** Positions behind it, and known to lie before it. */
  readonly done: number;
  readonly left: number;
}

export interface HostOptions extends Omit<RunOptions, 'module'> {
  readonly index: PlanIndex;
  readonly specs: ReadonlyMap<string, TaskSpec>;
  /** The id of the process's slot; with the worker's number it makes the transactional id. */
  readonly slot: string;
  /** The worker's number in its process. */
  readonly worker: number;
  readonly limits: TopicLimits;
  /** Of the program's serdes, where a registry keeps schemas of theirs. */
  readonly schemas?: KnownSchemas | undefined;
}

const STANDBY_FETCH_BYTES = 256 * 1024;
/** The part of a worker's memory of state that its standbys may take. */
const STANDBY_MEMORY = 1 / 8;

/** A worker in this thread. */
export async function createHost(options: HostOptions): Promise<WorkerHost> {
  const { program, log, clock, settings, index, specs, telemetry } = options;
  const application = program.plan.name;
  const step = new Step();
  const budget = { maxBytes: Math.floor(settings.stateBytes / settings.workers), usedBytes: 0 };
  const runLog = telemetry.log.with({ application });
  const globals = await GlobalFeed.open({ ...options, budget, lines: runLog });
  const metrics = new MetricSet(telemetry, { application });
  const lanes = new Set<LaneWorker>();
  const isPaused = (input: TopicInput) => [...lanes].some(({ feed }) => feed.isPaused(input));
  const report = new WorkerReport({ metrics, log: runLog, clock, budget, isPaused });
  const schemas = schemaWaits(options.schemas, step, () => {
    for (const { wake } of lanes) wake.notify();
  });
  const { state: backend, directory } = options;
  const stateParts = { program, index, log, backend, directory, clock, telemetry, settings };
  const standbys = standbysOf(stateParts, specs, budget, runLog);
  const openLane = async (kind: Lane, observer: WorkerObserver) => {
    const lane = await openLaneWorker(kind, {
      ...{ options, step, budget, globals, report, schemas, runLog, observer },
      times: new StageTimes(index, specs.values()),
      released: (task) => standbys.released(task),
      setApart: (task, reason) => quarantine.setApart(task, reason),
      wentWell: (task) => quarantine.wentWell(task),
      onEnd: () => lanes.delete(lane),
    });
    lanes.add(lane);
    return lane.worker;
  };
  const closeAll = () => Promise.all([globals.close(), standbys.stop(), report.close()]);
  const data = await openLane(settings.plane, report).catch(async (thrown: unknown) => {
    await closeAll();
    throw thrown;
  });
  const open = () => openLane('quarantine', report.beside());
  const quarantine = new Quarantine({ data, metrics, log: runLog, open });
  globals.follow((failure) => data.fail(failure));
  const finished = quarantine.finished.finally(closeAll);
  return {
    finished,
    renew: (identity, tasks) => quarantine.renew(identity, tasks),
    async assign(identity, tasks, held) {
      // a store has one owner: standbys that become tasks are closed first, and tasks that become standbys too
      const others = standbys.keepOnly(held);
      await quarantine.assign(identity, tasks);
      await others;
      standbys.hold(held);
    },
    revoke: (tasks) => quarantine.revoke(tasks),
    query: (request) => quarantine.query(request),
    stop: () => quarantine.stop(),
    figures: () => ({
      ...figuresOf(quarantine, report, standbys.figures),
      registryOutage: options.schemas?.away,
    }),
  };
}

/** A record that meets an unknown schema misses, as at a cold row. */
function schemaWaits(known: KnownSchemas | undefined, step: Step, notify: () => void): SchemaWaits | undefined {
  if (known === undefined) return undefined;
  known.onMiss(() => step.miss());
  return {
    get asked() {
      return known.asked;
    },
    get wanting() {
      return known.wanting;
    },
    fetch: () => known.fetch(),
    notify,
  };
}

function standbysOf(
  parts: Omit<OpenStandbyParts, 'step' | 'budget'>,
  specs: ReadonlyMap<string, TaskSpec>,
  whole: Budget,
  runLog: Logger,
): StandbySet {
  const { clock, telemetry, log, program } = parts;
  const budget = new BudgetShare(whole, STANDBY_MEMORY);
  return new StandbySet({
    clock,
    log: runLog,
    metrics: new MetricSet(telemetry, { application: program.plan.name }),
    reader: () => log.reader({ isolation: 'committed', maxPartitionBytes: STANDBY_FETCH_BYTES }),
    open: (task) => Standby.open({ ...parts, step: new Step(), budget }, specs.get(task)!),
  });
}

function figuresOf(
  quarantine: Quarantine,
  report: WorkerReport,
  standbys: readonly StoreFigures[],
): Omit<WorkerFigures, 'registryOutage'> {
  let records = quarantine.closedRecords;
  let lag = 0;
  let streamTime: number | undefined;
  const inputs: InputFigures[] = [];
  const stores: StoreFigures[] = [...report.restores.tasks(), ...standbys];
  const all = quarantine.running;
  for (const running of all) {
    const { task } = running;
    const end = running.changelogEnd;
    if (end !== undefined) stores.push({ task: task.id, at: end, end });
    records += task.records;
    for (const input of task.inputs) {
      lag += input.lag;
      inputs.push({ task: task.id, topic: input.topic, done: input.position, left: input.lag });
    }
    const time = task.streamTime;
    if (time >= 0 && (streamTime === undefined || time < streamTime)) streamTime = time;
  }
  return {
    ...{ records, lag, streamTime, tasks: all.length, inputs, stores },
    standbys: { tasks: standbys.length, lag: standbys.reduce((sum, { at, end }) => sum + end - at, 0) },
    ...{ restore: report.restores.figures(), ready: quarantine.ready, silentMs: report.silentMs, blockedMs: 0 },
    quarantined: quarantine.tasks,
  };
}
