import { Ledger, ledgerTopic, Outputs } from '../checkpoints/checkpoints.ts';
import { FlowError } from '../core/errors.ts';
import { failpoint } from '../core/failpoints.ts';
import { Step } from '../core/step.ts';
import type { GroupIdentity } from '../log/log.ts';
import { endsOfTopics } from './ends.ts';
import { Feed } from './feed.ts';
import { MetricSet } from './metrics.ts';
import { openTask } from './open-task.ts';
import type { RunOptions } from './runtime.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';
import { Trimmer } from './trimmer.ts';
import { Wake } from './wake.ts';
import { Worker } from './worker.ts';
import { WorkerReport } from './worker-report.ts';

/** A worker as the supervisor sees it, in this thread or another. */
export interface WorkerHost {
  /** Ends when the worker was stopped; rejects with what made it fail. */
  readonly finished: Promise<void>;
  assign(identity: GroupIdentity, tasks: readonly string[]): Promise<void>;
  /** Commits what was done so far and gives up those of these tasks that it has. */
  revoke(tasks: readonly string[]): Promise<void>;
  stop(): void;
  figures(): WorkerFigures;
}

export interface WorkerFigures {
  readonly records: number;
  readonly lag: number;
  readonly streamTime: number | undefined;
  readonly tasks: number;
  readonly inputs: readonly InputFigures[];
  /** All its tasks are restored and run. */
  readonly ready: boolean;
  /** Time since its loop last turned. */
  readonly silentMs: number;
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
  readonly maxRecordBytes: ReadonlyMap<string, number>;
}

/** What one fetch may bring of a partition. */
const MAX_FETCH_BYTES = 1024 * 1024;

/** A worker in this thread. */
export async function createHost(options: HostOptions): Promise<WorkerHost> {
  const { program, log, clock, settings, index, specs, telemetry } = options;
  const application = program.plan.name;
  const step = new Step();
  const outputs = new Outputs(step, settings.batchBytes, settings.compression);
  const wake = new Wake(clock);
  const ledger = await Ledger.open(log, application, clock);
  const renewProducer = () => {
    failpoint('producer.opening');
    if (settings.guarantee === 'at-least-once') return log.producer({});
    return log.producer({ transactionalId: `${application}-${options.slot}-${options.worker}` });
  };
  const producer = await renewProducer();
  const endsOf = endsOfTopics(index, specs, ledger);
  const feed = new Feed({
    reader: log.reader({ isolation: 'committed', maxPartitionBytes: Math.min(MAX_FETCH_BYTES, settings.intakeBytes) }),
    ledger,
    wake,
    intakeBytes: settings.intakeBytes,
    intakeRecords: settings.intakeRecords,
    endsOf,
  });
  const budget = { maxBytes: Math.floor(settings.stateBytes / settings.workers), usedBytes: 0 };
  const runLog = telemetry.log.with({ application });
  const report = new WorkerReport({
    metrics: new MetricSet(telemetry, { application }),
    log: runLog,
    clock,
    budget,
    isPaused: (input) => feed.isPaused(input),
  });
  const isInternal = (topic: string) => index.topics.get(topic)?.internal === true;
  const trimmer = new Trimmer({ admin: log.admin, clock, log: runLog, isInternal });
  const worker = new Worker({
    clock,
    settings,
    producer,
    renewProducer,
    trimmer,
    observer: report,
    ledgerTopic: ledgerTopic(application),
    wake,
    step,
    outputs,
    feed,
    open(id) {
      const spec = specs.get(id);
      if (spec === undefined) throw new FlowError('plan.mismatch', `task ${id} is not part of this plan`);
      return openTask(
        {
          program,
          index,
          log,
          backend: options.state,
          directory: options.directory,
          clock,
          telemetry,
          settings,
          step,
          outputs,
          budget,
          ledger,
          restores: report,
          maxRecordBytes: (topic) => options.maxRecordBytes.get(topic) ?? Number.POSITIVE_INFINITY,
        },
        spec,
      );
    },
    isEnded: (task) => ledger.ended(task) !== undefined,
    onRebuild: (reason) => report.rebuilding(reason),
  });
  const finished = worker.run().finally(() => Promise.all([report.close(), ledger.close()]));
  return {
    finished,
    assign: (identity, tasks) => worker.assign(identity, tasks),
    revoke: (tasks) => worker.revoke(tasks),
    stop: () => worker.stop(),
    figures: () => figuresOf(worker, report),
  };
}

function figuresOf(worker: Worker, { silentMs }: WorkerReport): WorkerFigures {
  let records = worker.closedRecords;
  let lag = 0;
  let streamTime: number | undefined;
  const inputs: InputFigures[] = [];
  for (const { task } of worker.tasks.values()) {
    records += task.records;
    for (const input of task.inputs) {
      lag += input.lag;
      inputs.push({ task: task.id, topic: input.topic, done: input.position, left: input.lag });
    }
    const time = task.streamTime;
    if (time >= 0 && (streamTime === undefined || time < streamTime)) streamTime = time;
  }
  return { records, lag, streamTime, tasks: worker.tasks.size, inputs, ready: worker.ready, silentMs };
}
