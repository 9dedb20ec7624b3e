import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import type { Log } from '../../log/log.ts';
import type { RunSettings } from '../../runtime/runtime.ts';
import { forgetStores } from '../../runtime/slot.ts';
import { transactionalId } from '../../runtime/transactional-id.ts';
import type { KafkaProxy } from '../proxy/proxy.ts';
import { type AppFaults, AppProcess } from './app-process.ts';
import { Feeder } from './feed.ts';
import { countAborted, isSettled } from './outputs.ts';
import { defineJob, type Job, PARTITIONS } from './topology.ts';
import { Watcher } from './watcher.ts';
import type { BrokerControl, World } from './world.ts';

export interface StartOptions extends AppFaults {
  readonly slot?: number;
  /** Beside those of every trial. */
  readonly settings?: Partial<RunSettings>;
}

/** Small epochs and small batches, so that faults hit open transactions. */
const SETTINGS: Partial<RunSettings> = {
  commitIntervalMs: 20,
  batchBytes: 8192,
  sliceRecords: 500,
  writeBackMs: 100,
};

const FEED_EVERY_MS = 50;
/** Records a second, where the log is fed while the job runs. */
const FEED_RATE = 1000;
/** No more than these lie before the job, so that a slow machine does not fall behind for ever. */
const MOST_WAITING = 5000;
/** Records before each start, where it is not. */
const FEED_AHEAD = 6000;
/** What a busy machine needs longer for than this does not come. */
const PATIENCE_MS = 180_000;
const SLOTS = [0, 1, 2, 3];
const LATE = Symbol('late');

/** One run of one row: an input, processes that do the job, faults, and figures about them. */
export class Trial {
  readonly world: World;
  readonly job: Job;
  readonly random: Random;
  readonly clock = systemClock;
  readonly #seed: number;
  readonly apps: AppProcess[] = [];
  /** What did not go as planned, in words. */
  readonly problems: string[] = [];
  faults = 0;
  /** Requests to join that the proxy had seen before. */
  readonly #joinsBefore: number;
  readonly recoveriesMs: number[] = [];
  /** How soon a process said that it was degraded. */
  readonly alarmsMs: number[] = [];
  /** The longest time in which a partition showed nothing new whose task stayed where it was while others came and went. */
  readonly gapsMs: number[] = [];
  /** The longest time in which a partition showed nothing new, until the faults were over. */
  stillMs: number | undefined;
  #fed = 0;
  #log: Log | undefined;
  #feeding: Promise<void> | undefined;
  readonly #stopFeeding = new AbortController();
  watcher: Watcher | undefined;

  constructor(world: World, name: string, seed: number) {
    this.world = world;
    this.job = defineJob(name);
    this.#seed = seed;
    this.random = seededRandom(seed);
    this.#joinsBefore = this.#joinsSeen();
  }

  async open(): Promise<void> {
    await this.withLog(async (log) => {
      const feeder = new Feeder(log, this.job, this.#seed, 0);
      await feeder.createTopics();
      await feeder.feedTable();
      if (this.world.shared) this.#feeding = this.#feed(feeder);
      else await feeder.close();
    });
  }

  /** Hands over the log; where it is not shared, no process may run. */
  async withLog<T>(work: (log: Log) => Promise<T>): Promise<T> {
    if (this.world.shared) {
      this.#log ??= await this.world.openLog(this.job.name);
      return work(this.#log);
    }
    const log = await this.world.openLog(this.job.name);
    try {
      return await work(log);
    } finally {
      await log.close();
    }
  }

  /** Starts a process that does the job. */
  async start(options: StartOptions = {}): Promise<AppProcess> {
    if (!this.world.shared) await this.#feedAhead(FEED_AHEAD);
    return this.#start(options);
  }

  #start({ slot = 0, settings, ...faults }: StartOptions): AppProcess {
    const engine = this.world.engineFor(this.job.name, slot);
    const options = { engine, settings: { ...SETTINGS, ...settings } };
    const app = new AppProcess(this.job.name, options, faults, this.world.env);
    this.apps.push(app);
    return app;
  }

  /** A first process makes the topics and some state. */
  async begin(): Promise<void> {
    const app = await this.start();
    await this.works(app, 5);
    await this.stop(app);
  }

  /** Gives a slot the identity of another, as a copied folder does: two processes with one transactional id. */
  async copyIdentity(from: number, to: number): Promise<void> {
    const path = (slot: number) => join(this.world.stateOf(this.job.name, slot), this.job.name, '0');
    await mkdir(path(to), { recursive: true });
    await copyFile(join(path(from), 'slot.json'), join(path(to), 'slot.json'));
  }

  /** Under what id the first worker of a slot writes. */
  async transactionalId(slot: number): Promise<string> {
    const path = join(this.world.stateOf(this.job.name, slot), this.job.name, '0', 'slot.json');
    const { id } = JSON.parse(await readFile(path, 'utf8')) as { readonly id: string };
    return transactionalId({ application: this.job.name, slot: id, worker: 0, lane: 'data' });
  }

  /** Does this to a process, and counts it. */
  fault(app: AppProcess, signal: NodeJS.Signals): void {
    this.faults++;
    app.signal(signal);
  }

  /** The code of the job in a process goes wrong, as it was told to. */
  async struck(app: AppProcess): Promise<void> {
    await this.within(
      app.until((each) => each.isBlocked),
      'the code of the job to go wrong',
    );
    this.faults++;
  }

  /** Removes the local stores of every process: they come back from their changelogs. No process may run. */
  async loseStores(): Promise<void> {
    for (const slot of SLOTS) await forgetStores(this.world.stateOf(this.job.name, slot), this.job.name);
  }

  /** Requests to join a group since this trial began. */
  get joins(): number {
    return this.#joinsSeen() - this.#joinsBefore;
  }

  #joinsSeen(): number {
    return this.world.proxy?.seen('joinGroup') ?? 0;
  }

  /** The group of the job: its generation, and who has which tasks. */
  async group(): Promise<{ readonly generation: number; readonly tasks: ReadonlyMap<string, readonly string[]> }> {
    return this.withLog(async (log) => {
      const found = (await log.admin.groups([this.job.name]))[0];
      return { generation: found?.generation ?? -1, tasks: found?.tasks ?? new Map() };
    });
  }

  /** The partitions of the input among these tasks. */
  inputsOf(tasks: readonly string[]): readonly number[] {
    const { topology, topics } = this.job;
    const stage = topology.build().plan.stages.find(({ reads }) => reads.includes(topics.input.name))!;
    return Array.from({ length: PARTITIONS }, (_, partition) => partition).filter((partition) =>
      tasks.includes(`${stage.id}_${partition}`),
    );
  }

  get proxy(): KafkaProxy {
    return this.world.proxy!;
  }

  get brokers(): BrokerControl {
    return this.world.brokers!;
  }

  /** Waits for something that must happen; where it does not, that is a problem of the trial. */
  async within(what: Promise<unknown>, name: string, patienceMs = PATIENCE_MS): Promise<void> {
    const stop = new AbortController();
    const late = this.clock.sleep(patienceMs, stop.signal).then((elapsed) => elapsed && LATE);
    const outcome = await Promise.race([what, late]);
    stop.abort();
    if (outcome === LATE) throw new Error(`waited ${patienceMs} ms for ${name}`);
  }

  /** The process must end by its failpoint. */
  async dies(app: AppProcess): Promise<void> {
    const late = this.clock.after(PATIENCE_MS, () => app.signal('SIGKILL'));
    const startedAt = this.clock.monotonic();
    const { signal, code } = await app.whenEnded();
    late();
    if (signal === 'SIGKILL' && this.clock.monotonic() - startedAt < PATIENCE_MS) this.faults++;
    else this.problems.push(`a process did not reach its failpoint: exit ${code} ${app.failure ?? ''}`);
  }

  /** The process must stop by its failpoint, which may be before it has said that it is ready. */
  async freezes(app: AppProcess): Promise<void> {
    const deadline = this.clock.monotonic() + PATIENCE_MS;
    while (!isStopped(app.pid)) {
      if (app.end !== undefined || this.clock.monotonic() > deadline) {
        throw new Error(`process ${app.pid} did not stop at its failpoint`);
      }
      await this.clock.sleep(100);
    }
  }

  /** Until the process has committed some more epochs, or all that was fed ahead of it. */
  async works(app: AppProcess, commits = 3): Promise<void> {
    const wanted = app.figures.commits + commits;
    const working = app
      .until((each) => each.figures.commits >= wanted || (!this.world.shared && isAtEnd(each)))
      .then((works) => {
        if (!works) throw new Error(`process ${app.pid} ended by itself: ${app.failure ?? app.errors.slice(-500)}`);
      });
    await this.within(working, `process ${app.pid} to commit ${commits} epochs`);
    await this.watch();
  }

  /** Records of outputs that stand in no committed transaction, of those that are decided. */
  aborted(): Promise<number> {
    return this.withLog((log) => countAborted(log, this.job));
  }

  /** Asks the process to end, as an operator would; it must do so by itself. */
  async stop(app: AppProcess, patienceMs = PATIENCE_MS): Promise<void> {
    app.signal('SIGTERM');
    const late = this.clock.after(patienceMs, () => {
      this.problems.push(`a process did not end within ${patienceMs} ms of SIGTERM`);
      app.signal('SIGKILL');
    });
    const { code, signal } = await app.whenEnded();
    late();
    // one that had not begun is ended by the signal itself
    const hadBegun = app.said > 0;
    if (code !== 0 && signal !== 'SIGKILL' && hadBegun)
      this.problems.push(`a process ended with exit code ${code} on SIGTERM: ${app.failure ?? ''}`);
  }

  /** Measures the time until records fed from now on are committed in every partition. Nothing where nobody can look. */
  async recovered(): Promise<void> {
    if (this.watcher === undefined) return;
    const since = this.clock.monotonic();
    await this.within(this.watcher.until(this.#fed), `all partitions to go on behind record ${this.#fed}`);
    this.recoveriesMs.push(this.clock.monotonic() - since);
  }

  /** Begins to watch the outputs; they are there once a process has committed something. */
  async watch(): Promise<void> {
    if (this.world.shared) await this.withLog(async (log) => (this.watcher ??= new Watcher(log, this.job, this.clock)));
  }

  /** Records of the input whose transaction was acknowledged. */
  get fed(): number {
    return this.#fed;
  }

  /**
   * The input ends, and one process at least runs until all of it is done and every transaction is decided. Then all
   * stores are lost, and a process does the same once more from what their changelogs say.
   */
  async settle(): Promise<void> {
    this.world.proxy?.clear();
    this.stillMs = this.watcher?.stillMs;
    this.#stopFeeding.abort();
    await this.#feeding;
    await this.#finish();
    await this.loseStores();
    const from = this.apps.length;
    await this.#finish();
    const restored = this.apps.slice(from).reduce((sum, { figures }) => sum + figures.restored, 0);
    if (restored === 0) this.problems.push('stores that were lost were not read back from their changelogs');
  }

  /** Each key gets one more record, which shows what its state is, and all of them are done. */
  async #finish(): Promise<void> {
    await this.withLog(async (log) => {
      const feeder = new Feeder(log, this.job, this.#seed, this.#fed);
      await feeder.feedLast();
      await feeder.close();
      this.#fed = feeder.fed;
    });
    const deadline = this.clock.monotonic() + PATIENCE_MS;
    for (;;) {
      if (!this.apps.some((app) => app.end === undefined)) this.#start({});
      const isDone = this.world.shared ? await this.#settledWhileRunning() : await this.#settledBehind();
      if (isDone) break;
      if (this.clock.monotonic() > deadline) {
        this.problems.push(`not all input was done within ${PATIENCE_MS} ms`);
        break;
      }
    }
    for (const app of this.apps) if (app.end === undefined) await this.stop(app);
  }

  /** Brokers that all rows share do not gather the topics of each, which they would load at every start. */
  async removeTopics(): Promise<void> {
    if (!this.world.shared) return;
    // it reads one of them
    await this.watcher?.close();
    await this.withLog(async ({ admin }) => {
      const isOwn = new RegExp(`\\b${this.job.name}\\b`);
      for (const topic of await admin.list()) if (isOwn.test(topic)) await admin.delete(topic);
    });
  }

  async close(): Promise<void> {
    this.#stopFeeding.abort();
    for (const app of this.apps) {
      if (app.end !== undefined) continue;
      app.signal('SIGKILL');
      await app.whenEnded();
    }
    await this.#feeding?.catch(() => undefined);
    await this.watcher?.close();
    await this.#log?.close();
  }

  async #settledWhileRunning(): Promise<boolean> {
    await this.clock.sleep(200);
    return this.withLog((log) => isSettled(log, this.job));
  }

  /** The log can be looked at only when nobody runs: it seems done, it is stopped, and then it shows. */
  async #settledBehind(): Promise<boolean> {
    const app = this.apps.at(-1)!;
    await app.until(isAtEnd);
    await this.stop(app);
    return this.withLog((log) => isSettled(log, this.job));
  }

  async #feed(feeder: Feeder): Promise<void> {
    const { signal } = this.#stopFeeding;
    const start = this.clock.monotonic();
    while (await this.clock.sleep(FEED_EVERY_MS, signal)) {
      const due = Math.floor(((this.clock.monotonic() - start) * FEED_RATE) / 1000);
      await feeder.feedTo(Math.min(due, (this.watcher?.through ?? due) + MOST_WAITING));
      this.#fed = feeder.fed;
    }
    await feeder.close();
  }

  async #feedAhead(count: number): Promise<void> {
    await this.withLog(async (log) => {
      const feeder = new Feeder(log, this.job, this.#seed, this.#fed);
      await feeder.feedTo(this.#fed + count);
      await feeder.close();
      this.#fed = feeder.fed;
    });
  }
}

/** As the kernel has it: behind the name of the program, which may hold anything, stands its state. */
function isStopped(pid: number): boolean {
  const [, state] = / ([A-Za-z]) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return state === 'T';
}

/** It has taken all that there is. */
function isAtEnd({ isReady, figures }: AppProcess): boolean {
  return isReady && figures.records > 0 && figures.lag === 0;
}
