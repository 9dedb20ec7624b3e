import { Ledger, ledgerTopic, Outputs } from '../checkpoints/checkpoints.ts';
import { FlowError } from '../core/errors.ts';
import { failpoint } from '../core/failpoints.ts';
import { Step } from '../core/step.ts';
import type { GroupIdentity, LogProducer } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { KnownSchemas, RegistryOutage } from '../schemas/schemas.ts';
import type { Budget } from '../state/state.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import { Alignment } from './alignment.ts';
import { BudgetShare } from './budget-share.ts';
import { limitOf, neededNames, type TopicLimits } from './deploy.ts';
import { endsOfTopics } from './ends.ts';
import { Feed } from './feed.ts';
import { GlobalFeed } from './global-feed.ts';
import { MetricSet } from './metrics.ts';
import { openTask } from './open-task.ts';
import { readStores, type StoreRequest } from './read-store.ts';
import type { RestoreFigures } from './restores.ts';
import type { RunOptions } from './runtime.ts';
import type { SchemaWaits } from './schema-waits.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';
import { StageTimes } from './stage-times.ts';
import { type OpenStandbyParts, Standby, type StoreFigures } from './standby.ts';
import { StandbySet } from './standby-set.ts';
import { transactionalId } from './transactional-id.ts';
import { Trimmer } from './trimmer.ts';
import { Wake } from './wake.ts';
import { Worker } from './worker.ts';
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

/** What one fetch may bring of a partition. */
const MAX_FETCH_BYTES = 1024 * 1024;
const STANDBY_FETCH_BYTES = 256 * 1024;
/** The part of a worker's memory of state that its standbys may take. */
const STANDBY_MEMORY = 1 / 8;

function openProducer({ program, log, settings, slot, worker, index }: HostOptions): Promise<LogProducer> {
  failpoint('producer.opening');
  if (settings.guarantee === 'at-least-once') return log.producer({});
  const { name } = program.plan;
  const writes = { topics: neededNames(index), group: name };
  const place = { application: name, slot, worker, lane: settings.plane };
  return log.producer({ transactionalId: transactionalId(place), writes });
}

/** A worker in this thread. */
export async function createHost(options: HostOptions): Promise<WorkerHost> {
  const { program, log, clock, settings, index, specs, telemetry } = options;
  const application = program.plan.name;
  const step = new Step();
  const budget = { maxBytes: Math.floor(settings.stateBytes / settings.workers), usedBytes: 0 };
  const runLog = telemetry.log.with({ application });
  const globals = await GlobalFeed.open({ ...options, budget, lines: runLog });
  const outputs = createOutputs(options, step);
  const wake = new Wake(clock);
  const ledger = await Ledger.open(log, application, clock);
  const renewProducer = () => openProducer(options);
  const producer = await renewProducer();
  const feed = createFeed(options, ledger, wake);
  const report = new WorkerReport({
    metrics: new MetricSet(telemetry, { application }),
    log: runLog,
    clock,
    budget,
    isPaused: (input) => feed.isPaused(input),
  });
  const schemas = schemaWaits(options.schemas, step, wake);
  const isInternal = (topic: string) => index.topics.get(topic)?.internal === true;
  const trimmer = new Trimmer({ admin: log.admin, clock, log: runLog, isInternal });
  const { state: backend, directory } = options;
  const stateParts = { program, index, log, backend, directory, clock, telemetry, settings };
  const bounded = settings.until === 'end' || index.bounded;
  const time = { times: new StageTimes(index, specs.values()), alignment: new Alignment(), bounded };
  const standbys = standbysOf(stateParts, specs, budget, runLog);
  const worker = new Worker({
    ...{ clock, settings, producer, renewProducer, trimmer, wake, step, outputs, feed },
    observer: report,
    ledgerTopic: ledgerTopic(application),
    async open(id, signal) {
      const spec = specs.get(id);
      if (spec === undefined) throw new FlowError('plan.mismatch', `task ${id} is not part of this plan`);
      await standbys.released(id);
      return openTask(
        {
          ...stateParts,
          step,
          outputs,
          budget,
          ledger,
          globals: globals.tables,
          schemas,
          ...time,
          signal,
          restores: report,
          notify: () => wake.notify(),
          limit: limitOf(options.limits),
        },
        spec,
      );
    },
    read: (running, request) => readStores({ program, index, step, globals }, running, request),
    isEnded: (task) => ledger.ended(task) !== undefined,
    onRebuild: (reason) => report.rebuilding(reason),
  });
  globals.follow((failure) => worker.fail(failure));
  const closeAll = () => Promise.all([globals.close(), standbys.stop(), report.close(), ledger.close()]);
  const finished = worker.run().finally(closeAll);
  return {
    finished,
    renew: (identity, tasks) => worker.renew(identity, tasks),
    async assign(identity, tasks, held) {
      // a store has one owner: standbys that become tasks are closed first, and tasks that become standbys too
      const others = standbys.keepOnly(held);
      await worker.assign(identity, tasks);
      await others;
      standbys.hold(held);
    },
    revoke: (tasks) => worker.revoke(tasks),
    query: (request) => worker.query(request),
    stop: () => worker.stop(),
    figures: () => ({
      ...figuresOf(worker, report, standbys.figures),
      registryOutage: options.schemas?.away,
    }),
  };
}

function createOutputs({ settings, limits }: HostOptions, step: Step): Outputs {
  const limit = limitOf(limits);
  return new Outputs(step, settings.batchBytes, settings.compression, (topic) => limit(topic).maxBytes);
}

/** A record that meets an unknown schema misses, as at a cold row. */
function schemaWaits(known: KnownSchemas | undefined, step: Step, wake: Wake): SchemaWaits | undefined {
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
    notify: () => wake.notify(),
  };
}

function createFeed({ log, settings, index, specs }: HostOptions, ledger: Ledger, wake: Wake): Feed {
  const { intakeBytes, intakeRecords } = settings;
  return new Feed({
    reader: log.reader({ isolation: 'committed', maxPartitionBytes: Math.min(MAX_FETCH_BYTES, intakeBytes) }),
    ...{ ledger, wake, intakeBytes, intakeRecords },
    isBetween: (topic) => index.written.has(topic),
    endsOf: endsOfTopics(index, specs, ledger),
  });
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
  worker: Worker,
  report: WorkerReport,
  standbys: readonly StoreFigures[],
): Omit<WorkerFigures, 'registryOutage'> {
  let records = worker.closedRecords;
  let lag = 0;
  let streamTime: number | undefined;
  const inputs: InputFigures[] = [];
  const stores: StoreFigures[] = [...report.restores.tasks(), ...standbys];
  for (const running of worker.tasks.values()) {
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
    ...{ records, lag, streamTime, tasks: worker.tasks.size, inputs, stores },
    standbys: { tasks: standbys.length, lag: standbys.reduce((sum, { at, end }) => sum + end - at, 0) },
    ...{ restore: report.restores.figures(), ready: worker.ready, silentMs: report.silentMs, blockedMs: 0 },
  };
}
