import type { Clock } from '../core/clock.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { Given, GroupIdentity, GroupMember, MemberOptions } from './log.ts';
import { sessionOf } from './session.ts';

/** Heartbeats in a session timeout. */
const BEATS = 3;
/** A member may take so many session timeouts to give up its tasks. */
const REVOKE_SESSIONS = 5;
const NOTHING: Given = { tasks: [], metadata: '' };

export interface GroupsOptions {
  readonly clock: Clock;
  /** The generation that a group had before, where a driver keeps it. Default 0. */
  generation?(group: string): number;
  /** Told of every new generation before its members are; a driver may keep it. */
  onGeneration?(group: string, generation: number): void;
  /** Asked at every heartbeat; false loses it. Default: none is lost. */
  heard?(member: string): boolean;
}

/**
 * Membership of groups within one process, for the drivers that have no broker: generations, the members' own
 * assignor, sessions by heartbeat. A member keeps its tasks through a rebalance unless they go to another; only
 * one that loses some is asked to revoke, and the new generation begins when all those have. A static member that has
 * left is a member still, without anybody behind it, until its session is over or somebody takes its place.
 */
export class Groups {
  readonly #options: GroupsOptions;
  readonly #groups = new Map<string, Group>();
  #serial = 0;

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  join(options: MemberOptions): Promise<GroupMember> {
    let group = this.#groups.get(options.group);
    if (group === undefined) {
      group = new Group(options.group, this.#options);
      this.#groups.set(options.group, group);
    }
    return group.join(options, `${options.name}-${++this.#serial}`);
  }

  /** Fails with `log.generation` unless the identity is of the current generation. */
  check(identity: GroupIdentity): void {
    const group = this.#groups.get(identity.group);
    if (group?.generation === identity.generation && group.has(identity.member)) return;
    throw new FlowError(
      'log.generation',
      `member ${identity.member} of group ${identity.group} is of generation ${identity.generation}, ` +
        `the group of ${group?.generation ?? 0}; wait for the next assignment`,
    );
  }

  generation(group: string): number {
    return this.#groups.get(group)?.generation ?? this.#options.generation?.(group) ?? 0;
  }

  members(group: string): readonly string[] {
    return this.#groups.get(group)?.ids() ?? [];
  }

  tasks(group: string): ReadonlyMap<string, readonly string[]> {
    return this.#groups.get(group)?.tasks() ?? new Map();
  }

  /** Fails with `log.locked` while a group has members. */
  checkEmpty(group: string): void {
    const members = this.members(group);
    if (members.length === 0) return;
    throw new FlowError('log.locked', `group ${group} has members: ${members.join(', ')}; stop them first`);
  }

  names(): readonly string[] {
    return [...this.#groups.keys()];
  }

  forget(group: string): void {
    this.#groups.delete(group);
  }

  /** Ends every membership without telling the members. */
  close(): void {
    for (const group of this.#groups.values()) group.close();
  }
}

interface Member {
  readonly id: string;
  readonly options: MemberOptions;
  readonly sessionMs: Millis;
  metadata: string;
  /** What the assignor said to it beside the tasks that it owns. */
  told: string;
  identity: GroupIdentity;
  /** What it works on. */
  owned: readonly string[];
  heardAt: number;
  /** It has left, and its place is kept. */
  away: boolean;
  stop(): void;
  admit: ((failure?: unknown) => void) | undefined;
}

class Group {
  generation: number;
  readonly #name: string;
  readonly #options: GroupsOptions;
  readonly #members = new Map<string, Member>();
  #changed = false;
  #rebalancing = false;

  constructor(name: string, options: GroupsOptions) {
    this.#name = name;
    this.#options = options;
    this.generation = options.generation?.(name) ?? 0;
  }

  has(member: string): boolean {
    return this.#members.get(member)?.away === false;
  }

  ids(): readonly string[] {
    return [...this.#members.keys()].sort();
  }

  tasks(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.ids().map((id) => [id, this.#members.get(id)!.owned]));
  }

  async join(options: MemberOptions, id: string): Promise<GroupMember> {
    const place = this.#vacate(options.instanceId);
    const member: Member = {
      id,
      options,
      sessionMs: sessionOf(options),
      metadata: options.metadata,
      told: place?.told ?? NOTHING.metadata,
      identity: { group: this.#name, member: id, generation: -1 },
      owned: place?.owned ?? [],
      heardAt: this.#options.clock.monotonic(),
      away: false,
      stop: () => undefined,
      admit: undefined,
    };
    const admitted = new Promise<void>((resolve, reject) => {
      member.admit = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    this.#members.set(id, member);
    this.#beat(member);
    if (place === undefined || place.identity.generation < 0 || this.#rebalancing) this.#change();
    else this.#admit(member);
    await admitted;
    return {
      get identity() {
        return member.identity;
      },
      describe: (metadata) => {
        member.metadata = metadata;
      },
      rejoin: (metadata, owned) => {
        member.metadata = metadata;
        member.owned = owned ?? member.owned;
        this.#change();
      },
      leave: async (forGood) => this.#leave(member, forGood === true),
    };
  }

  /** Takes the place of who had this instance id, and answers what was there. */
  #vacate(instanceId: string | undefined): Member | undefined {
    if (instanceId === undefined) return undefined;
    const before = [...this.#members.values()].find(({ options }) => options.instanceId === instanceId);
    if (before === undefined) return undefined;
    this.#remove(before);
    if (!before.away) this.#tell(before, `another member has joined with its instance id ${instanceId}`, true);
    return before;
  }

  #leave(member: Member, forGood: boolean): void {
    if (member.away || !this.#members.has(member.id)) return;
    if (member.options.instanceId === undefined || forGood) {
      this.#remove(member);
      this.#change();
      return;
    }
    member.stop();
    member.away = true;
    member.stop = this.#options.clock.after(member.sessionMs, () => {
      if (this.#remove(member)) this.#change();
    });
  }

  close(): void {
    for (const member of [...this.#members.values()]) {
      this.#remove(member);
      member.admit?.(new FlowError('log.closed', `the log was closed while ${member.id} joined ${this.#name}`));
    }
  }

  /** A heartbeat sets out a few times a session; one that is not heard for a whole session ends it. */
  #beat(member: Member): void {
    const { clock } = this.#options;
    const { sessionMs } = member;
    member.stop = clock.after(Math.max(1, Math.floor(sessionMs / BEATS)), () => {
      if (this.#options.heard?.(member.id) ?? true) member.heardAt = clock.monotonic();
      if (clock.monotonic() - member.heardAt >= sessionMs)
        this.#lose(member, `it was not heard of for ${sessionMs} ms`);
      else this.#beat(member);
    });
  }

  #remove(member: Member): boolean {
    member.stop();
    return this.#members.delete(member.id);
  }

  #lose(member: Member, reason: string): void {
    if (!this.#remove(member)) return;
    this.#tell(member, reason, false);
    this.#change();
  }

  #tell(member: Member, reason: string, replaced: boolean): void {
    const message = `member ${member.id} was put out of group ${this.#name}: ${reason}`;
    if (member.admit !== undefined) member.admit(new FlowError('log.fenced', message));
    else member.options.onLost(message, replaced);
  }

  #change(): void {
    this.#changed = true;
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    queueMicrotask(() => void this.#rebalance());
  }

  async #rebalance(): Promise<void> {
    while (this.#changed) {
      this.#changed = false;
      // places that are kept change nothing by themselves
      if (![...this.#members.values()].some(({ away }) => !away)) break;
      const plan = await this.#plan();
      if (plan === undefined || this.#changed) continue;
      await Promise.all(
        [...this.#members.values()].map((member) => this.#revoke(member, plan.get(member.id)?.tasks ?? [])),
      );
      if (!this.#changed) this.#begin(plan);
    }
    this.#rebalancing = false;
  }

  async #plan(): Promise<ReadonlyMap<string, Given> | undefined> {
    const ids = this.ids();
    const leader = this.#members.get(ids.find((id) => this.has(id))!)!;
    try {
      return await leader.options.assign(
        ids.map((id) => {
          const { metadata, owned } = this.#members.get(id)!;
          return { member: id, metadata, owned };
        }),
      );
    } catch (thrown) {
      this.#lose(leader, `its assignor failed: ${messageOf(thrown)}`);
      return undefined;
    }
  }

  /** Takes from a member what it does not keep. */
  async #revoke(member: Member, keeps: readonly string[]): Promise<void> {
    const tasks = member.owned.filter((task) => !keeps.includes(task));
    if (tasks.length === 0) return;
    if (member.away || member.admit !== undefined) {
      // nobody works on them
      member.owned = member.owned.filter((task) => !tasks.includes(task));
      return;
    }
    const { clock } = this.#options;
    const limit = member.sessionMs * REVOKE_SESSIONS;
    const given = new AbortController();
    const late = clock.sleep(limit, given.signal);
    const done = member.options.onRevoke(tasks).then(
      () => false,
      () => false,
    );
    const tooLate = await Promise.race([done, late]);
    given.abort();
    member.owned = member.owned.filter((task) => !tasks.includes(task));
    if (tooLate) this.#lose(member, `it did not give up its tasks within ${limit} ms`);
  }

  #begin(plan: ReadonlyMap<string, Given>): void {
    this.generation++;
    this.#options.onGeneration?.(this.#name, this.generation);
    for (const id of this.ids()) {
      const member = this.#members.get(id);
      if (member === undefined) continue;
      const { tasks, metadata } = plan.get(id) ?? NOTHING;
      member.owned = tasks;
      member.told = metadata;
      this.#admit(member);
    }
  }

  /** What it owns holds under the current generation. */
  #admit(member: Member): void {
    member.identity = { group: this.#name, member: member.id, generation: this.generation };
    if (member.away) return;
    member.options.onAssign({ ...member.identity, tasks: member.owned, metadata: member.told });
    member.admit?.();
    member.admit = undefined;
  }
}
