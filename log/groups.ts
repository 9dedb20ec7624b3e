import type { Clock } from '../core/clock.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { Given, GroupIdentity, GroupMember, MemberOptions } from './log.ts';

const DEFAULT_SESSION_TIMEOUT_MS: Millis = 6000;
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
 * one that loses some is asked to revoke, and the new generation begins when all those have.
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
  metadata: string;
  identity: GroupIdentity;
  /** What it works on. */
  owned: readonly string[];
  heardAt: number;
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
    return this.#members.has(member);
  }

  ids(): readonly string[] {
    return [...this.#members.keys()].sort();
  }

  tasks(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.ids().map((id) => [id, this.#members.get(id)!.owned]));
  }

  async join(options: MemberOptions, id: string): Promise<GroupMember> {
    const member: Member = {
      id,
      options,
      metadata: options.metadata,
      identity: { group: this.#name, member: id, generation: -1 },
      owned: [],
      heardAt: this.#options.clock.monotonic(),
      stop: () => undefined,
      admit: undefined,
    };
    const admitted = new Promise<void>((resolve, reject) => {
      member.admit = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    this.#members.set(id, member);
    this.#beat(member);
    this.#change();
    await admitted;
    return {
      get identity() {
        return member.identity;
      },
      describe: (metadata) => {
        member.metadata = metadata;
      },
      rejoin: (metadata) => {
        member.metadata = metadata;
        this.#change();
      },
      leave: async () => {
        if (this.#remove(member)) this.#change();
      },
    };
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
    const session = member.options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS;
    member.stop = clock.after(Math.max(1, Math.floor(session / BEATS)), () => {
      if (this.#options.heard?.(member.id) ?? true) member.heardAt = clock.monotonic();
      if (clock.monotonic() - member.heardAt >= session) this.#lose(member, `it was not heard of for ${session} ms`);
      else this.#beat(member);
    });
  }

  #remove(member: Member): boolean {
    member.stop();
    return this.#members.delete(member.id);
  }

  #lose(member: Member, reason: string): void {
    if (!this.#remove(member)) return;
    const message = `member ${member.id} was put out of group ${this.#name}: ${reason}`;
    if (member.admit !== undefined) member.admit(new FlowError('log.fenced', message));
    else member.options.onLost(message);
    this.#change();
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
      if (this.#members.size === 0) break;
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
    const leader = this.#members.get(ids[0]!)!;
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
    const { clock } = this.#options;
    const limit = (member.options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS) * REVOKE_SESSIONS;
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
      member.identity = { group: this.#name, member: id, generation: this.generation };
      member.options.onAssign({ ...member.identity, tasks, metadata });
      member.admit?.();
      member.admit = undefined;
    }
  }
}
