import { Ledger } from '../checkpoints/checkpoints.ts';
import { FlowError } from '../core/errors.ts';
import { partitionName } from '../core/ids.ts';
import { seededRandom } from '../core/random.ts';
import { sessionOf } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { KnownSchemas } from '../schemas/schemas.ts';
import { planHash } from '../topology/plan.ts';
import { alone } from './alone.ts';
import { beginEndless, beginRun, completeRun, isBehindBounded } from './begin-run.ts';
import { bindProgram } from './bind-schemas.ts';
import { completion } from './completion.ts';
import { prepareTopics } from './deploy.ts';
import { type Evolution, type EvolveParts, evolve, lastStart } from './evolve.ts';
import { HeldState } from './held-state.ts';
import { createHost, type HostOptions, type InputFigures, type WorkerFigures, type WorkerHost } from './host.ts';
import { KnownEnds } from './known-ends.ts';
import { listTasks } from './list-tasks.ts';
import { isStateful, Membership, sessionSettings } from './membership.ts';
import { createQuery, type Query } from './query.ts';
import { elsewhere, hasEnded, type StoreRequest } from './read-store.ts';
import { resetIfComplete } from './reset.ts';
import { sumOfRestores, timeLeftMs } from './restores.ts';
import { reportRun } from './run-report.ts';
import type { Health, Outcome, Progress, Run, RunOptions } from './runtime.ts';
import { shareDone } from './share.ts';
import { forgetOtherTasks, type Slot, takeSlot } from './slot.ts';
import { PlanIndex, type TaskSpec } from './stage.ts';
import { bindStores } from './store-schemas.ts';
import { Watchdog } from './watchdog.ts';

/** Starts an application: takes a slot, checks its topics, joins its group, runs its workers. */
export async function startRun(options: RunOptions): Promise<Run> {
  checkGuarantee(options);
  const { program, directory, settings } = options;
  const slot = await takeSlot(directory, program.plan.name, settings.instanceId);
  let schemas: KnownSchemas | undefined;
  try {
    const bound = await bindProgram(program, {
      registry: options.registry?.client,
      clock: options.clock,
      log: options.telemetry.log.with({ application: program.plan.name }),
    });
    schemas = bound.schemas;
    const run = await startInSlot({ ...options, program: bound.program, schemas }, slot);
    const close = () => schemas?.close();
    run.finished.then(close, close);
    return run;
  } catch (thrown) {
    schemas?.close();
    await slot.release();
    throw thrown;
  }
}

function checkGuarantee({ log, settings }: RunOptions): void {
  const { transactions, fencing, driver } = log.capabilities;
  if (settings.guarantee === 'at-least-once' || (transactions && fencing)) return;
  const lacks = transactions ? 'does not fence what is no longer current' : 'has no transactions';
  throw new FlowError(
    'log.unsupported',
    `the log driver ${driver} ${lacks}, so nothing is exactly-once with it; ` +
      'choose run.guarantee at-least-once, or another driver',
  );
}

async function startInSlot(
  options: RunOptions & { readonly schemas: KnownSchemas | undefined },
  slot: Slot,
): Promise<Run> {
  const { log, clock, settings } = options;
  const { plan } = options.program;
  const application = plan.name;
  const index = new PlanIndex(plan, settings.deadLetters);
  const evolving = { plan, log, clock, renames: options.renames };
  const specs = await listTasks(options.program, index);
  const bounded = index.bounded || settings.until === 'end';
  const prepare = async () => {
    if (options.anew && bounded) await resetIfComplete({ ...options, plan });
    const evolution = await evolve(evolving, (line) => options.telemetry.log.info({ application }, line));
    const limits = await prepareTopics(log.admin, index, specs, (message) =>
      options.telemetry.log.warn({ application }, message),
    );
    await evolution.carry();
    const random = seededRandom(clock.now());
    const program = await bindStores(options.program, { log, clock, random, guarantee: settings.guarantee });
    const ledger = await Ledger.open(log, application, clock);
    const parts = { log, index, ledger, clock };
    const began = bounded && (await beginRun(parts, settings.until === 'end'));
    if (!bounded) await beginEndless(parts);
    return { program, limits, ledger, began, evolution };
  };
  // processes that are started side by side begin one run, and carry state over once
  const isAlone = bounded || (await isFirstOfItsKind(evolving));
  const { program, limits, ledger, began, evolution } = await (isAlone ? alone(log, application, prepare) : prepare());
  if (slot.directory !== undefined) await forgetOtherTasks(slot.directory, new Set(specs.map(({ id }) => id)));
  const hostOptions = {
    ...options,
    ...{ program, index, limits, slot: slot.id, directory: slot.directory },
    specs: new Map(specs.map((spec) => [spec.id, spec])),
  };
  const hosts: WorkerHost[] = [];
  for (let worker = 0; worker < settings.workers; worker++) {
    const each = { ...hostOptions, worker };
    hosts.push(settings.workers === 1 ? await createHost(each) : await createThreaded(each));
  }
  const held = new HeldState(specs.filter(({ stage }) => isStateful(index, stage)).map(({ id }) => id));
  if (slot.directory !== undefined) await held.look(options.state, slot.directory, program, index, specs);
  const run = new SupervisedRun({
    options: { ...options, program },
    index,
    bounded,
    began,
    specs,
    ledger,
    hosts,
    held,
    slot,
    evolution,
  });
  await run.join();
  reportRun(run, options);
  if (bounded) run.completeWhenEnded();
  return run;
}

/** The state in the log belongs to another plan, or was left by a bounded run. */
async function isFirstOfItsKind(parts: EvolveParts): Promise<boolean> {
  const { plan: former = parts.plan, run } = await lastStart(parts);
  return isBehindBounded(run) || planHash(former) !== planHash(parts.plan);
}

/** Loaded only where there is more than one worker. */
async function createThreaded(options: HostOptions & Pick<RunOptions, 'module'>): Promise<WorkerHost> {
  const { createThreadHost } = await import('./thread-host.ts');
  return createThreadHost(options);
}

interface SupervisedParts {
  readonly options: RunOptions;
  readonly index: PlanIndex;
  readonly bounded: boolean;
  /** This process began the run. */
  readonly began: boolean;
  readonly specs: readonly TaskSpec[];
  readonly ledger: Ledger;
  readonly hosts: readonly WorkerHost[];
  readonly held: HeldState;
  readonly slot: Slot;
  readonly evolution: Evolution;
}

class SupervisedRun implements Run {
  readonly finished: Promise<Outcome>;
  readonly continued: boolean;
  readonly #options: RunOptions;
  readonly #index: PlanIndex;
  readonly #bounded: boolean;
  readonly #specs: readonly TaskSpec[];
  readonly #ledger: Ledger;
  readonly #hosts: readonly WorkerHost[];
  readonly #slot: Slot;
  readonly #knownEnds: KnownEnds;
  readonly #membership: Membership;
  readonly #watchdog: Watchdog;
  readonly #stop = new AbortController();
  #how: Outcome['how'] = 'drained';
  #ended = false;
  #query: Query | undefined;
  #share: number | undefined;
  #fail: (failure: unknown) => void = () => {};

  constructor(parts: SupervisedParts) {
    const { options, index, specs, hosts } = parts;
    this.#options = options;
    this.#index = index;
    this.#bounded = parts.bounded;
    this.continued = parts.bounded && !parts.began;
    this.#specs = specs;
    this.#ledger = parts.ledger;
    this.#hosts = hosts;
    this.#slot = parts.slot;
    const read = index.plan.stages.flatMap((stage) => stage.reads);
    this.#knownEnds = new KnownEnds(
      options.log.admin,
      [...new Set(read)].map((name) => index.topics.get(name)!),
    );
    this.#watchdog = new Watchdog({
      clock: options.clock,
      log: options.log,
      sessionMs: sessionOf(sessionSettings(options.settings)),
      commitIntervalMs: options.settings.commitIntervalMs,
      figures: () => hosts.map((host) => host.figures()),
      isMember: () => this.#membership.isMember,
      onOverdue: (workers, reason) => void this.#membership.giveUp(workers, reason),
    });
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#membership = new Membership({
      ...{ options, index, specs, hosts, held: parts.held, slot: parts.slot.id },
      disk: parts.slot.directory !== undefined && options.state.onDisk,
      onFailure: this.#fail,
      onTasks: () => void parts.evolution.settle().catch(this.#fail),
    });
    const workers = Promise.all(hosts.map((host) => host.finished));
    this.finished = Promise.race([workers, failed])
      .finally(() => this.#end())
      .then(() => ({ how: this.#how, records: this.progress().records }));
    this.finished.catch(() => undefined);
  }

  /** Resolves with the first assignment. */
  async join(): Promise<void> {
    await this.#membership.join();
    this.#watchdog.start();
  }

  /** Marks the run complete when all its tasks have ended, whoever ran them. */
  completeWhenEnded(): void {
    const completing = async () => {
      if (!(await completion(this.#ledger, this.#specs, this.#stop.signal))) return;
      await completeRun(this.#options.log, this.#options.program.plan.name, this.#ledger);
      this.#how = 'complete';
      for (const host of this.#hosts) host.stop();
    };
    // also where the run is stopped, and its ledger closed, while it is being marked
    completing().catch(this.#fail);
  }

  async drain(): Promise<void> {
    for (const host of this.#hosts) host.stop();
    await this.finished;
  }

  progress(): Progress {
    const figures = this.#hosts.map((host) => host.figures());
    const times = figures.flatMap(({ streamTime }) => (streamTime === undefined ? [] : [streamTime]));
    const records = figures.reduce((sum, each) => sum + each.records, 0);
    const isEnded = (task: string) => this.#ledger.ended(task) !== undefined;
    const inputs = this.#inputs(figures);
    this.#knownEnds.look();
    const restore = sumOfRestores(figures.map((each) => each.restore));
    return {
      records,
      recordsByWorker: figures.map((each) => each.records),
      lag: inputs.reduce((sum, each) => sum + each.left, 0),
      streamTime: times.length === 0 ? undefined : Math.min(...times),
      tasks: this.#specs.length,
      tasksEnded: this.#specs.filter((spec) => isEnded(spec.id)).length,
      quarantined: figures.flatMap((each) => each.quarantined),
      share: this.#shareDone(inputs, isEnded),
      restore: restore && { ...restore, leftMs: timeLeftMs(restore) },
      standbys: {
        tasks: figures.reduce((sum, { standbys }) => sum + standbys.tasks, 0),
        lag: figures.reduce((sum, { standbys }) => sum + standbys.lag, 0),
      },
      degraded: this.health().degraded,
    };
  }

  /** An estimate while topics grow; it never falls. */
  #shareDone(inputs: readonly InputFigures[], isEnded: (task: string) => boolean): number | undefined {
    if (!this.#bounded) return undefined;
    const share = shareDone({ index: this.#index, specs: this.#specs, inputs, isEnded });
    if (share !== undefined) this.#share = Math.max(share, this.#share ?? 0);
    return this.#share;
  }

  get query(): Query {
    const { program } = this.#options;
    const ask = (request: StoreRequest) => this.#ask(request);
    this.#query ??= createQuery({ program, index: this.#index, specs: this.#specs, ask });
    return this.#query;
  }

  /** Asks every worker for those of the tasks that it has. */
  async #ask(request: StoreRequest): Promise<readonly FoundRow[]> {
    const byWorker = new Map<number, string[]>();
    // each worker has all of a global table
    if (request.tasks.length === 0) {
      if (this.#ended) throw hasEnded(request.store);
      byWorker.set(0, []);
    }
    for (const task of request.tasks) {
      const worker = this.#ended ? undefined : this.#membership.workerOf(task);
      if (worker === undefined) {
        const place = this.#ended ? 'ended' : { process: this.#membership.placeOf(task) };
        throw elsewhere(this.#specs.find(({ id }) => id === task)!, request.store, place);
      }
      byWorker.set(worker, [...(byWorker.get(worker) ?? []), task]);
    }
    const asked = [...byWorker].map(([worker, tasks]) => this.#hosts[worker]!.query({ ...request, tasks }));
    return (await Promise.all(asked)).flat();
  }

  health(): Health {
    const health = this.#watchdog.health();
    return this.#ended ? { ready: false, degraded: undefined, ill: undefined } : health;
  }

  /** The inputs of all tasks, with what the log has by now. */
  #inputs(figures: readonly WorkerFigures[]): readonly InputFigures[] {
    const partitions = new Map(this.#specs.map((spec) => [spec.id, spec.partition]));
    return figures
      .flatMap((each) => each.inputs)
      .map((input) => {
        const partition = partitions.get(input.task) ?? 0;
        const last = this.#ledger.run?.ends[partitionName(input.topic, partition)] ?? Number.POSITIVE_INFINITY;
        const end = Math.min(last, this.#knownEnds.of(input.topic, partition));
        return { ...input, left: Math.max(input.left, end - input.done) };
      });
  }

  async #end(): Promise<void> {
    this.#ended = true;
    this.#watchdog.close();
    this.#stop.abort();
    for (const host of this.#hosts) host.stop();
    await Promise.allSettled(this.#hosts.map((host) => host.finished));
    // a static member keeps its place for whoever is started next, but not behind a run that is over
    await this.#membership.leave(this.#how === 'complete');
    await this.#ledger.close();
    await this.#slot.release();
  }
}
