import { Ledger, ledgerTopic, Outputs } from '../checkpoints/checkpoints.ts';
import { FlowError } from '../core/errors.ts';
import { failpoint } from '../core/failpoints.ts';
import type { Step } from '../core/step.ts';
import type { LogProducer } from '../log/log.ts';
import type { Budget } from '../state/state.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import { Alignment } from './alignment.ts';
import { limitOf, neededNames } from './deploy.ts';
import { endsOfTopics } from './ends.ts';
import { Feed } from './feed.ts';
import type { GlobalFeed } from './global-feed.ts';
import type { HostOptions } from './host.ts';
import type { WorkerObserver } from './observer.ts';
import { openTask } from './open-task.ts';
import { QuarantineMark } from './quarantine-mark.ts';
import { readStores } from './read-store.ts';
import type { SchemaWaits } from './schema-waits.ts';
import type { StageTimes } from './stage-times.ts';
import { type Lane, transactionalId } from './transactional-id.ts';
import { Trimmer } from './trimmer.ts';
import { Wake } from './wake.ts';
import { Worker } from './worker.ts';
import type { WorkerReport } from './worker-report.ts';

/** What the workers of a thread have in common, and what one tells the others. */
export interface LaneParts {
  readonly options: HostOptions;
  readonly step: Step;
  readonly budget: Budget;
  readonly globals: GlobalFeed;
  readonly report: WorkerReport;
  readonly observer: WorkerObserver;
  readonly schemas: SchemaWaits | undefined;
  readonly runLog: Logger;
  readonly times: StageTimes;
  /** Resolves when no standby of the task is open. */
  released(task: string): Promise<void>;
  setApart(task: string, reason: unknown): void;
  wentWell(task: string): void;
  onEnd(): void;
}

/** A worker, and what feeds and wakes it. */
export interface LaneWorker {
  readonly worker: Worker;
  readonly feed: Feed;
  readonly wake: Wake;
}

/** What one fetch may bring of a partition. */
const MAX_FETCH_BYTES = 1024 * 1024;

/** Opens a worker with what is its own: a producer, and so epochs, outputs, a reader and what it knows of the run. */
export async function openLaneWorker(lane: Lane, parts: LaneParts): Promise<LaneWorker> {
  const { options, step, budget, globals, report, runLog } = parts;
  const { program, log, clock, settings, index, specs, telemetry, state: backend, directory } = options;
  const application = program.plan.name;
  await endFormer(options, lane);
  const ledger = await Ledger.open(log, application, clock);
  const renewProducer = () => openProducer(options, lane);
  const producer = await renewProducer().catch(async (thrown: unknown) => {
    await ledger.close();
    throw thrown;
  });
  const outputs = createOutputs(options, step);
  const wake = new Wake(clock);
  const feed = createFeed(options, ledger, wake);
  const isInternal = (topic: string) => index.topics.get(topic)?.internal === true;
  const taskParts = {
    ...{ program, index, log, backend, directory, clock, telemetry, settings, step, outputs, budget, ledger },
    ...{ globals: globals.tables, schemas: parts.schemas, times: parts.times, alignment: new Alignment() },
    ...{ bounded: settings.until === 'end' || index.bounded, restores: report, limit: limitOf(options.limits) },
    notify: (task?: string) => wake.notify(task),
  };
  const worker = new Worker({
    ...{ clock, settings, producer, renewProducer, wake, step, outputs, feed, observer: parts.observer },
    trimmer: new Trimmer({ admin: log.admin, clock, log: runLog, isInternal }),
    alone: lane === 'quarantine',
    ledgerTopic: ledgerTopic(application),
    async open(id, signal) {
      const spec = specs.get(id);
      if (spec === undefined) throw new FlowError('plan.mismatch', `task ${id} is not part of this plan`);
      await parts.released(id);
      return openTask({ ...taskParts, signal }, spec);
    },
    read: (running, request) => readStores({ program, index, step, globals }, running, request),
    isEnded: (task) => ledger.ended(task) !== undefined,
    onRebuild: (reason) => report.rebuilding(reason),
    setApart: (task, reason) => parts.setApart(task, reason),
    wentWell: (task) => parts.wentWell(task),
    async onEnd() {
      parts.onEnd();
      await ledger.close();
    },
  });
  return { worker, feed, wake };
}

/** For exactly-once, the producer of a lane of the worker; else one that fences nobody. */
function openProducer({ program, log, settings, slot, worker, index }: HostOptions, lane: Lane): Promise<LogProducer> {
  failpoint('producer.opening');
  if (settings.guarantee === 'at-least-once') return log.producer({});
  const application = program.plan.name;
  const writes = { topics: neededNames(index), group: application };
  return log.producer({ transactionalId: transactionalId({ application, slot, worker, lane }), writes });
}

/** Ends what the worker's predecessor in the slot has left open of tasks that were set apart. */
async function endFormer(options: HostOptions, lane: Lane): Promise<void> {
  const { directory, worker, settings } = options;
  if (directory === undefined || settings.guarantee === 'at-least-once') return;
  const mark = new QuarantineMark(directory, worker);
  if (lane === 'quarantine') await mark.set();
  else if (await mark.isSet()) {
    await (await openProducer(options, 'quarantine')).close();
    await mark.clear();
  }
}

function createOutputs({ settings, limits }: HostOptions, step: Step): Outputs {
  const limit = limitOf(limits);
  return new Outputs(step, settings.batchBytes, settings.compression, (topic) => limit(topic).maxBytes);
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
