import { FlowError } from '../core/errors.ts';
import type { Assignment, GroupIdentity, GroupMember, MemberOptions } from '../log/log.ts';
import { planHash } from '../topology/plan.ts';
import { assignTasks } from './assign.ts';
import type { HeldState } from './held-state.ts';
import type { WorkerHost } from './host.ts';
import { decodeOrders, encodeOrders, encodeState, type Orders } from './member-state.ts';
import { checkPlan, isOfOtherPlan, onePlan } from './one-plan.ts';
import type { RunOptions, RunSettings } from './runtime.ts';
import { splitOverWorkers } from './split-over-workers.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';
import { type Lane, transactionalId } from './transactional-id.ts';
import { WarmUps } from './warm-ups.ts';

export interface MembershipParts {
  readonly options: RunOptions;
  readonly index: PlanIndex;
  readonly specs: readonly TaskSpec[];
  readonly hosts: readonly WorkerHost[];
  readonly held: HeldState;
  /** The id of the process's slot. */
  readonly slot: string;
  /** Its stores are on disk, and so it can hold standbys. */
  readonly disk: boolean;
  onFailure(failure: unknown): void;
  /** Told once, when the process was given tasks: its plan is the one that is at work. */
  onTasks(): void;
}

/** How often the process looks at what it holds, and tells it. */
const LOOK_MS = 1000;

/**
 * The process as a member of its group: tells what state it holds, spreads what it is given over its workers, and asks
 * for another assignment when it has warmed up for one. A static member that was started again takes up what it was
 * given in its earlier life, unless its plan was another then.
 */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #plan: string;
  readonly #warmUps: WarmUps;
  #member: GroupMember | undefined;
  /** The newest assignment. */
  #target: Assignment | undefined;
  #identity: GroupIdentity | undefined;
  #orders: Orders = decodeOrders('');
  /** Which worker was given each task, to run it or as a standby, and which of them are to run. */
  #placed: ReadonlyMap<string, number> = new Map();
  #running: ReadonlySet<string> = new Set();
  #assigning: Promise<void> = Promise.resolve();
  #cancelLook: () => void = () => undefined;
  #ended = false;
  #atWork = false;

  constructor(parts: MembershipParts) {
    const { program, clock, settings } = parts.options;
    this.#parts = parts;
    this.#plan = planHash(program.plan);
    this.#warmUps = new WarmUps(clock, settings.acceptableLag);
  }

  /** Resolves with the first assignment. */
  async join(): Promise<void> {
    const { options, specs, index } = this.#parts;
    const { program, log, settings, telemetry } = options;
    const tasks = specs.map(({ id, stage }) => ({ id, stage, stateful: isStateful(index, stage) }));
    const { standbys, acceptableLag } = settings;
    if (standbys > 0 && !log.capabilities.ownAssignor) {
      const why = `the log ${log.capabilities.driver} deals tasks out by itself, so there are no standbys; use another driver`;
      telemetry.log.warn({ application: program.plan.name }, why);
    }
    // what a static member has first was perhaps given in its earlier life
    let mayBeOld = settings.instanceId !== undefined;
    let outdated = false;
    const member = await log.join({
      group: program.plan.name,
      name: program.plan.name,
      metadata: this.#state(),
      ...sessionSettings(settings),
      assign: onePlan(this.#plan, (members) => assignTasks({ tasks, standbys, acceptableLag }, members)),
      onAssign: (assignment) => {
        outdated = mayBeOld && isOfOtherPlan(assignment, this.#plan);
        this.#adopt(outdated ? { ...assignment, tasks: [], metadata: '' } : assignment);
      },
      onRevoke: (tasks) => this.#revoke(tasks),
      onRenew: (identity) => this.#renew(identity),
      onLost: (reason, replaced) => this.#lost(reason, replaced),
    });
    mayBeOld = false;
    this.#member = member;
    if (outdated) member.rejoin(this.#state(), []);
    this.#cancelLook();
    this.#lookLater();
  }

  /** The worker that has a task, or is about to; `undefined` where none of this process has. */
  workerOf(task: string): number | undefined {
    return this.#running.has(task) ? this.#placed.get(task) : undefined;
  }

  /** Which process has a task, by the newest assignment that this one knows; `undefined` where that does not tell. */
  placeOf(task: string): string | undefined {
    return this.#orders.places.get(task);
  }

  /** The process can be made to leave now. */
  get isMember(): boolean {
    return this.#member !== undefined && !this.#ended;
  }

  async leave(forGood: boolean): Promise<void> {
    this.#ended = true;
    this.#cancelLook();
    await this.#member?.leave(forGood).catch(() => undefined);
  }

  /**
   * Leaves the group, so that others go on with the tasks, and joins again when all workers have answered. What these
   * workers have open is aborted, since readers and new owners would wait for it.
   */
  async giveUp(workers: readonly number[], reason: string): Promise<void> {
    const { options, slot, hosts } = this.#parts;
    const { log, program, settings } = options;
    const member = this.#member!;
    this.#member = undefined;
    await member.leave(true);
    const takeOver = async (worker: number) => {
      const isApart = hosts[worker]!.figures().quarantined.length > 0;
      const lanes: readonly Lane[] = isApart ? [settings.plane, 'quarantine'] : [settings.plane];
      const ids = lanes.map((lane) => transactionalId({ application: program.plan.name, slot, worker, lane }));
      await Promise.allSettled(ids.map(async (id) => (await log.producer({ transactionalId: id })).close()));
    };
    // where the log does not answer, the timeout of the transaction ends it
    if (settings.guarantee === 'exactly-once') await Promise.all(workers.map(takeOver));
    this.#lost(`left the group: ${reason}`, false);
  }

  /** Out of the group: what was done since the last commit is given up, then it joins anew, or gives way. */
  #lost(reason: string, replaced: boolean): void {
    const lost = this.#identity;
    if (this.#ended || lost === undefined) return;
    this.#member = undefined;
    // standbys go on: what they hold is wanted again soon
    this.#adopt({ ...lost, tasks: [], metadata: encodeOrders(this.#orders) });
    if (replaced) {
      this.#parts.onFailure(new FlowError('log.fenced', reason));
      return;
    }
    const { telemetry, program } = this.#parts.options;
    telemetry.log.warn({ application: program.plan.name }, `${reason}; joining again`);
    this.#assigning
      .then(() => (this.#ended ? undefined : this.join()))
      .catch((failure: unknown) => this.#parts.onFailure(failure));
  }

  async #revoke(tasks: readonly string[]): Promise<void> {
    await this.#assigning;
    await Promise.all(this.#parts.hosts.map((host) => host.revoke(tasks)));
    this.#forget(tasks);
    this.#member?.describe(this.#state());
  }

  #adopt(assignment: Assignment): void {
    try {
      checkPlan(assignment.group, assignment.tasks);
    } catch (failure) {
      this.#parts.onFailure(failure);
      return;
    }
    if (assignment.tasks.length > 0 && !this.#atWork) {
      this.#atWork = true;
      this.#parts.onTasks();
    }
    this.#orders = decodeOrders(assignment.metadata);
    this.#warmUps.given(this.#orders.warmups);
    this.#target = assignment;
    this.#renew(assignment);
    this.#assigning = this.#assigning.then(() => this.#arrange(assignment));
    this.#assigning.catch((failure: unknown) => this.#parts.onFailure(failure));
  }

  /** Workers go on at once under a newer identity, with what is still the process's. */
  #renew({ group, member, generation }: GroupIdentity): void {
    this.#identity = { group, member, generation };
    for (const host of this.#parts.hosts) host.renew(this.#identity, this.#target?.tasks ?? []);
  }

  /** Spreads an assignment over the workers, unless a newer one has come: that is arranged next, from what is by then. */
  async #arrange(assignment: Assignment): Promise<void> {
    const { hosts } = this.#parts;
    const { tasks } = assignment;
    const standbys = [...this.#orders.standbys, ...this.#orders.warmups];
    const isOver = () => this.#target !== assignment;
    if (isOver()) return;
    const before = this.#placed;
    const placed = new Map([
      ...splitOverWorkers(tasks, hosts.length, before),
      ...splitOverWorkers(standbys, hosts.length, before),
    ]);
    const moves = (task: string) => before.has(task) && before.get(task) !== placed.get(task);
    const moving = tasks.filter((task) => moves(task) && this.#running.has(task));
    if ([...tasks, ...standbys].some(moves)) {
      // a store has one owner: whoever had one gives it up before another worker opens it
      const kept = tasks.filter((task) => this.#running.has(task));
      const held = standbys.filter((task) => before.has(task) && !moves(task) && !this.#running.has(task));
      await this.#give(kept, held, before);
      if (isOver()) return;
      if (moving.length > 0) await Promise.all(hosts.map((host) => host.revoke(moving)));
      this.#forget(moving);
      if (isOver()) return;
    }
    await this.#give(tasks, standbys, placed);
    this.#member?.describe(this.#state());
  }

  async #give(
    tasks: readonly string[],
    standbys: readonly string[],
    placed: ReadonlyMap<string, number>,
  ): Promise<void> {
    this.#running = new Set(tasks);
    this.#placed = new Map([...placed].filter(([task]) => tasks.includes(task) || standbys.includes(task)));
    await Promise.all(
      this.#parts.hosts.map((host, worker) => {
        const isHere = (task: string) => placed.get(task) === worker;
        return host.assign(this.#identity!, tasks.filter(isHere), standbys.filter(isHere));
      }),
    );
  }

  #forget(tasks: readonly string[]): void {
    this.#placed = new Map([...this.#placed].filter(([task]) => !tasks.includes(task)));
    this.#running = new Set([...this.#running].filter((task) => !tasks.includes(task)));
  }

  /** What others are told. */
  #state(): string {
    const { held, hosts, disk, options } = this.#parts;
    held.take(hosts.map((host) => host.figures()));
    const stores = held.told((task) => this.#placed.has(task));
    const { instanceId, rack } = options.settings;
    return encodeState({ plan: this.#plan, instance: instanceId, rack, disk, stores });
  }

  #lookLater(): void {
    if (this.#ended) return;
    this.#cancelLook = this.#parts.options.clock.after(LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const lags = new Map<string, number>();
    for (const host of this.#parts.hosts) {
      for (const { task, at, end } of host.figures().stores) lags.set(task, end - at);
    }
    if (this.#warmUps.mustAsk((task) => lags.get(task))) this.#member?.rejoin(this.#state());
    else this.#member?.describe(this.#state());
  }
}

/** Only tasks with stores have standbys. */
export function isStateful(index: PlanIndex, stage: string): boolean {
  return index.stages.get(stage)!.stores.length > 0;
}

export function sessionSettings({
  instanceId,
  sessionTimeoutMs,
}: RunSettings): Pick<MemberOptions, 'instanceId' | 'sessionTimeoutMs'> {
  return {
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
  };
}
