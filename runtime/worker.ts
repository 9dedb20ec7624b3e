import { Committer } from '../checkpoints/checkpoints.ts';
import { FlowError } from '../core/errors.ts';
import type { GroupIdentity } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import { Demands } from './demands.ts';
import { isOfTasks, isSurelyOwn, Passing, pauseMs } from './passing.ts';
import { Placement } from './placement.ts';
import { restoring, type StoreRequest } from './read-store.ts';
import { Rounds } from './rounds.ts';
import type { RunningTask } from './running-task.ts';
import { TaskSet } from './task-set.ts';
import { Turns } from './turns.ts';
import type { WorkerParts } from './worker-parts.ts';
import { WriteBacks } from './write-backs.ts';

/**
 * One event loop: feeds its tasks, lets them run, commits them together. Nothing in it knows how a task works or
 * what a batch holds. What the supervisor asks is done in the loop, between two turns.
 */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #committer: Committer;
  readonly #placement: Placement;
  readonly #tasks: TaskSet;
  readonly #writeBacks: WriteBacks;
  readonly #demands: Demands;
  readonly #turns: Turns;
  readonly #rounds: Rounds;
  readonly #passing: Passing;
  readonly #stop = new AbortController();
  #lastCommit: number;
  /** Why every task must go back to its last commit. */
  #broken: unknown;
  /** Rebuilds since the last commit that held. */
  #attempts = 0;
  #retiring: Promise<void> = Promise.resolve();
  #failure: unknown;
  #ended = false;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#lastCommit = parts.clock.monotonic();
    const { clock, settings, wake } = parts;
    const placement = new Placement(clock);
    this.#placement = placement;
    this.#tasks = new TaskSet({
      ...{ placement, wake, feed: parts.feed, observer: parts.observer, clock },
      open: (id, signal) => parts.open(id, signal),
      idle: () => this.#writeBacks.idle(),
      isEnded: (id) => parts.isEnded(id),
      passes: (failure) => this.#passing.is(failure) && isOfTasks(failure),
      onFailure: (failure) => this.#failed(failure),
    });
    this.#demands = new Demands(() => wake.notify());
    this.#passing = new Passing(clock, settings);
    this.#turns = new Turns({ clock, alone: parts.alone });
    this.#rounds = new Rounds(clock, settings.commitIntervalMs);
    this.#writeBacks = new WriteBacks({
      clock,
      settings,
      wake,
      onFailure: (failure, task) => this.#failed(failure, [task]),
    });
    this.#committer = new Committer({
      guarantee: settings.guarantee,
      ...{ producer: parts.producer, outputs: parts.outputs, step: parts.step },
      ledgerTopic: parts.ledgerTopic,
      ...(parts.observer === undefined ? {} : { observer: parts.observer }),
      identityFor: (tasks) => placement.identityFor(tasks),
      nextIdentity: (refused, tasks) => placement.nextIdentity(refused, tasks),
    });
  }

  /** Records taken by tasks that are no longer here. */
  get closedRecords(): number {
    return this.#tasks.closedRecords;
  }

  /** All tasks of its assignment are open and run. */
  get ready(): boolean {
    if (this.#placement.identity === undefined || this.#broken !== undefined || this.#ended) return false;
    return this.#tasks.complete;
  }

  get tasks(): ReadonlyMap<string, RunningTask> {
    return this.#tasks.running;
  }

  /** Goes on under a newer identity with those of its tasks that are among these. */
  renew(identity: GroupIdentity, tasks: readonly string[]): void {
    this.#placement.renew(identity, tasks);
  }

  /** Adopts an assignment: gives up what is no longer its own, begins to open what is new. */
  async assign(identity: GroupIdentity, tasks: readonly string[]): Promise<void> {
    // known at once, since an epoch on its way may wait for it
    this.#placement.offer(identity, tasks);
    let closed = Promise.resolve();
    await this.#demands.ask(async () => {
      await this.#decided();
      const lost = [...this.#tasks.running].filter(([id]) => !this.#placement.tasks.includes(id));
      if (lost.some(([, { task }]) => task.worked))
        this.#broken ??= new FlowError('task.lost', 'a task was taken away');
      // nothing of what it gives up may stay open: another worker has the folder next
      if (this.#broken !== undefined) return this.#rebuild();
      closed = this.#closed(this.#tasks.closeOthers());
      this.#tasks.openMissing();
    });
    await closed;
  }

  /** Commits what is done so far and gives up these tasks; the others go on. */
  async revoke(tasks: readonly string[]): Promise<void> {
    let closed = Promise.resolve();
    await this.#demands.ask(async () => {
      await this.#commitAll();
      this.#placement.withdraw(tasks);
      if (this.#broken !== undefined) return this.#rebuild();
      closed = this.#closed(Promise.all(tasks.map((id) => this.#tasks.close(id))));
    });
    await closed;
  }

  /** Asks a store of each of these tasks; behind a commit of all, where committed rows cannot be told otherwise. */
  async query(request: StoreRequest): Promise<readonly FoundRow[]> {
    let found = await this.#read(request);
    if (found !== undefined) return found;
    await this.#demands.ask(async () => {
      await this.#commitAll();
      if (this.#broken !== undefined || this.#failure !== undefined) return;
      found = await this.#read({ ...request, read: 'live' });
    });
    if (found === undefined) throw restoring(request.tasks.join(', '), request.store);
    return found;
  }

  #read(request: StoreRequest): Promise<readonly FoundRow[] | undefined> {
    const isBroken = this.#broken !== undefined;
    return this.#parts.read(isBroken ? new Map() : this.#tasks.running, request);
  }

  /** The loop; ends when stopped, rejects with what made it fail. */
  async run(): Promise<void> {
    try {
      while (!this.#stopping) {
        try {
          await this.#turn();
        } catch (thrown) {
          if (!this.#passing.is(thrown)) throw thrown;
          this.#broken ??= thrown;
        }
      }
      await this.#commitAll();
    } catch (thrown) {
      this.#failure ??= thrown;
    }
    this.#ended = true;
    this.#parts.wake.close();
    this.#demands.end();
    await this.#close().catch((thrown: unknown) => {
      this.#failure ??= thrown;
    });
    await this.#parts.onEnd();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Something that its tasks need has failed for good. */
  fail(failure: unknown): void {
    this.#failed(failure);
  }

  stop(): void {
    this.#stop.abort();
    this.#parts.wake.notify();
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #meetDemands(): Promise<void> {
    const { clock, observer } = this.#parts;
    const since = clock.monotonic();
    await this.#demands.meet((thrown) => {
      const passes = this.#passing.is(thrown);
      if (passes) this.#broken ??= thrown;
      return passes;
    });
    observer?.paused(clock.monotonic() - since);
  }

  async #turn(): Promise<void> {
    const { clock, wake, feed, settings } = this.#parts;
    this.#parts.observer?.turned();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#broken !== undefined) await this.#rebuild();
    if (this.#demands.waiting) await this.#meetDemands();
    feed.pump();
    const full = this.#committer.committing && this.#parts.outputs.sealedBytes > settings.heldBytes;
    const named = this.#rounds.few(this.#tasks.running);
    const few = this.#turns.areTaken ? undefined : named;
    const busy = full ? false : await this.#runTasks(few);
    if (this.#broken !== undefined || this.#failure !== undefined) return;
    this.#committer.flush();
    const due = this.#lastCommit + settings.commitIntervalMs - clock.monotonic();
    const isDue = due <= 0 || this.#mustCommit() || (this.#turns.solo !== undefined && !busy);
    const isNext = isDue && !this.#committer.committing && this.#tasks.worked && this.#commit();
    this.#writeBacks.start(this.#tasks.running);
    this.#parts.trimmer.trim(this.#tasks.running.values());
    feed.balance();
    if (busy || isNext) return clock.turn();
    const woken = await wake.wait(
      this.#turns.waitMs(this.#rounds.waitMs(few, this.#atWork, this.#tasks.worked ? due : undefined)),
    );
    // else those that were named before have not run
    if (!full) this.#rounds.woken(woken);
  }

  /** Lets each task run a slice, or only `few` of them; answers whether any has more. */
  async #runTasks(few: readonly RunningTask[] | undefined): Promise<boolean> {
    let busy = false;
    const now = this.#parts.clock.now();
    const all = this.#turns.of(this.#tasks.running, !this.#tasks.worked, this.#tasks.isComing);
    for (const running of few ?? all) {
      const { task } = running;
      task.wallTime(now);
      const result = task.run(this.#parts.settings.sliceRecords);
      if (result === 'miss') {
        await task.fetchMissed().catch((thrown: unknown) => this.#failed(thrown, [task.id]));
        busy = true;
      } else {
        task.state.unpin();
        if (result === 'busy' || running.times?.turn()) busy = true;
      }
      if (this.#turns.ran(task.id, task.worked)) break;
    }
    return busy;
  }

  /** Those that may be in the epoch at hand. */
  get #atWork(): Iterable<RunningTask> {
    const { solo } = this.#turns;
    const { running } = this.#tasks;
    if (solo === undefined) return running.values();
    const only = running.get(solo);
    return only === undefined ? [] : [only];
  }

  /** A commit is worth more than its interval: a task has ended, or memory asks for it. */
  #mustCommit(): boolean {
    return this.#tasks.urgent || this.#parts.outputs.sealedBytes > this.#parts.settings.heldBytes;
  }

  /** Answers whether a task has its turn next that could not run until now. */
  #commit(): boolean {
    const { clock, wake } = this.#parts;
    this.#lastCommit = clock.monotonic();
    const worked = [...this.#atWork].filter(({ task }) => task.worked);
    if (worked.length === 0) return false;
    const ids = worked.map(({ task }) => task.id);
    const parts = worked.map((running) => running.part());
    const ended = worked.filter(({ task }) => task.finished).map(({ task }) => task.id);
    for (const { task } of worked) task.worked = false;
    this.#committer.commit(parts);
    this.#committer.settled().then(
      () => {
        this.#attempts = 0;
        for (const each of worked) each.committed();
        for (const id of this.#turns.held(ids)) if (!ended.includes(id)) this.#parts.wentWell(id);
        this.#parts.trimmer.committed(parts);
        if (ended.length > 0) this.#retiring = this.#retire(ended);
        if (ended.length > 0 || this.#isOwed(worked)) wake.notify();
      },
      (failure: unknown) => this.#failed(failure, this.#committer.culprits(ids)),
    );
    return this.#turns.cut();
  }

  /** Whether something has waited for the commit of these: then there is a turn for it now, else when something comes. */
  #isOwed(committed: readonly RunningTask[]): boolean {
    if (this.#turns.areTaken || this.#tasks.worked || this.#tasks.urgent || this.#parts.outputs.sealedBytes > 0)
      return true;
    return committed.some(({ task, times }) => task.scanning || times !== undefined);
  }

  /** Something beside the loop has failed, of these tasks: the next turn goes back to the last commit, or ends. */
  #failed(failure: unknown, tasks: readonly string[] = []): void {
    if (!this.#passing.is(failure)) this.#failure ??= failure;
    else if (this.#broken === undefined) {
      this.#broken = failure;
      if (isOfTasks(failure)) this.#turns.failed(tasks, isSurelyOwn(failure), this.#placement.tasks);
    }
    this.#parts.wake.notify();
  }

  /** Resolves when the epoch on its way is decided; how, the fields tell. */
  async #decided(): Promise<void> {
    await this.#committer.settled().catch(() => undefined);
    await this.#retiring;
  }

  /** Commits what is done so far, if it can be. */
  async #commitAll(): Promise<void> {
    await this.#decided();
    if (this.#broken !== undefined || this.#failure !== undefined || this.#committer.failed) return;
    this.#commit();
    await this.#decided();
  }

  /**
   * An epoch has failed for a passing reason. Its outcome may be unknown, so a new producer takes the place of the
   * old one, which decides whatever that left open; then every task is opened at its last commit.
   */
  async #rebuild(): Promise<void> {
    const { clock, outputs } = this.#parts;
    this.#parts.onRebuild(this.#broken);
    await this.#decided();
    await this.#writeBacks.idle();
    outputs.clear();
    await this.#tasks.discardAll();
    if (this.#attempts > 0) {
      await clock.sleep(pauseMs(this.#attempts), this.#stop.signal);
      if (this.#stopping) return;
    }
    this.#attempts++;
    await this.#committer.abort().catch((thrown: unknown) => {
      if (!this.#passing.is(thrown)) throw thrown;
    });
    await this.#committer.renew(await this.#parts.renewProducer());
    this.#passing.passed(this.#broken);
    this.#setApart(this.#broken);
    this.#broken = undefined;
    this.#tasks.openMissing();
  }

  #setApart(reason: unknown): void {
    const guilty = this.#turns.takeGuilty(this.#placement.tasks);
    if (guilty === undefined) return;
    this.#placement.withdraw([guilty]);
    this.#parts.setApart(guilty, reason);
  }

  async #retire(ended: readonly string[]): Promise<void> {
    try {
      for (const id of ended) await this.#tasks.retire(id);
    } catch (thrown) {
      this.#failure ??= thrown;
    }
  }

  /** Tasks close beside the loop, in which the others go on; what fails is told to the loop. */
  async #closed(closing: Promise<unknown>): Promise<void> {
    await closing.catch((failure: unknown) => this.#failed(failure));
    // one may have come back meanwhile
    if (this.#broken === undefined && !this.#ended) this.#tasks.openMissing();
  }

  async #close(): Promise<void> {
    const { feed, trimmer } = this.#parts;
    await this.#decided();
    await this.#committer.abort().catch(() => undefined);
    await this.#writeBacks.idle();
    if (this.#failure === undefined && this.#broken === undefined) await this.#tasks.closeAll();
    else await this.#tasks.discardAll();
    await feed.close();
    await trimmer.close();
    await this.#committer.close();
  }
}
