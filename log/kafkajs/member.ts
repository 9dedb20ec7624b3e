import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import { Stale } from '../kafka/error-codes.ts';
import type { Members, Membership } from '../kafka/members.ts';
import { backOffMs } from '../kafka/retry.ts';
import { deal, type Share } from '../kafka/shares.ts';
import type { GroupIdentity, GroupMember, MemberOptions } from '../log.ts';
import { Brokers, type Shared } from './brokers.ts';
import { codeOf, failureOfLibrary } from './failures.ts';
import { storedPositions } from './group-admin.ts';
import type { LibraryBroker } from './library.ts';
import { packShare, packSubscription, unpackShare, unpackSubscription } from './subscription.ts';

const DEFAULT_SESSION_TIMEOUT_MS: Millis = 6000;
/** Heartbeats in a session timeout, and how far apart they are at most: how soon a rebalance is heard of. */
const BEATS = 3;
const LONGEST_BEAT_MS: Millis = 1000;
/** The first pause between heartbeats where another round is certain to come. */
const SHORT_BEAT_MS: Millis = 10;
/** A member may take so many session timeouts to give up its tasks. */
const REVOKE_SESSIONS = 5;
const LEAVING_MS: Millis = 2000;
/** What the subscriptions and shares of all members are written in. */
const PROTOCOL = 'nodeflow-tasks';

const ILLEGAL_GENERATION = 22;
const UNKNOWN_MEMBER = 25;
const REBALANCE_IN_PROGRESS = 27;

/** The group goes on without this member. */
class Lost extends Error {}

/**
 * Joins a group with the member's own assignor, by the requests of the library's brokers: its own consumer tells
 * nobody what else than partitions a member was assigned. Resolves with the first assignment.
 */
export async function joinAsMember(shared: Shared, members: Members, options: MemberOptions): Promise<GroupMember> {
  const member = new KafkaJsMember(shared, members, options);
  await member.start();
  return member;
}

/** Rounds and shares are those of the `kafka` driver (`log/kafka/shares.ts`): a task changes hands in two rounds. */
class KafkaJsMember implements GroupMember, Membership {
  identity: GroupIdentity;
  generation = -1;
  round: Promise<void> | undefined;
  readonly #brokers: Brokers;
  readonly #shared: Shared;
  readonly #members: Members;
  readonly #options: MemberOptions;
  readonly #name: string;
  readonly #sessionMs: Millis;
  readonly #revokeMs: Millis;
  #id = '';
  #metadata: string;
  /** The tasks it has. */
  #owned: readonly string[] = [];
  #requests = 0;
  /** A new assignment was asked for. */
  #wanted = false;
  #wake = new AbortController();
  #ended = false;
  #admitted: { resolve(): void; reject(failure: unknown): void } | undefined;

  constructor(shared: Shared, members: Members, options: MemberOptions) {
    this.#shared = shared;
    this.#members = members;
    this.#options = options;
    this.#name = members.laneOf(options.name);
    // The broker makes member ids of client ids.
    this.#brokers = new Brokers(shared, this.#name);
    this.#metadata = options.metadata;
    this.#sessionMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS;
    this.#revokeMs = this.#sessionMs * REVOKE_SESSIONS;
    this.identity = { group: options.group, member: '', generation: -1 };
  }

  /** Resolves when the first assignment holds. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#admitted = { resolve, reject };
      void this.#run();
    });
  }

  describe(metadata: string): void {
    this.#metadata = metadata;
  }

  rejoin(metadata: string): void {
    this.#metadata = metadata;
    this.#requests++;
    this.#wanted = true;
    this.#wake.abort();
  }

  async leave(): Promise<void> {
    if (!this.#end()) return;
    await this.#sayGoodbye();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#ended) {
        const share = await this.#joinRound();
        if (share === undefined || this.#ended) return;
        if (share.final) this.#assign(share);
        else if (share.revoke.length > 0) {
          await this.#revoke(share.revoke);
          continue;
        }
        await this.#hold(share.final);
      }
    } catch (thrown) {
      await this.#lose(thrown);
    }
  }

  /** A round of joining, repeated until it ends with a share; `undefined` where the member has left meanwhile. */
  async #joinRound(): Promise<Share | undefined> {
    let over = (): void => undefined;
    this.round = new Promise((resolve) => {
      over = resolve;
    });
    try {
      while (!this.#ended) {
        this.#wanted = false;
        const share = await this.#asking((coordinator) => this.#round(coordinator));
        if (share !== undefined) return share;
      }
      return undefined;
    } finally {
      this.round = undefined;
      over();
    }
  }

  /** Joins, plans where this member leads, and takes its share; `undefined` where another round has begun. */
  async #round(coordinator: LibraryBroker): Promise<Share | undefined> {
    const { group } = this.#options;
    const subscription = { metadata: this.#metadata, owned: this.#owned, round: this.#requests };
    const stored = await storedPositions(coordinator, group);
    const topics = [...new Set(stored.map(({ topic }) => topic))];
    try {
      const joined = await coordinator.joinGroup({
        groupId: group,
        memberId: this.#id,
        sessionTimeout: this.#sessionMs,
        rebalanceTimeout: this.#revokeMs,
        groupProtocols: [{ name: PROTOCOL, metadata: packSubscription(this.#shared, topics, subscription) }],
      });
      this.#id = joined.memberId;
      this.#members.add(this.#id, this);
      this.generation = joined.generationId;
      const leads = joined.leaderId === this.#id;
      const { memberAssignment } = await coordinator.syncGroup({
        groupId: group,
        generationId: this.generation,
        memberId: this.#id,
        groupAssignment: leads ? await this.#plan(joined.members) : [],
      });
      return unpackShare(this.#shared, memberAssignment, group);
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code === REBALANCE_IN_PROGRESS || code === ILLEGAL_GENERATION) return undefined;
      if (code !== UNKNOWN_MEMBER) throw thrown;
      if (this.#admitted === undefined) throw new Lost('it was not heard of in time');
      this.#id = '';
      return undefined;
    }
  }

  async #plan(members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]) {
    const { group, assign } = this.#options;
    const subscribers = members
      .map(({ memberId, memberMetadata }) => ({
        member: memberId,
        ...unpackSubscription(this.#shared, memberMetadata as Buffer<ArrayBuffer>, group),
      }))
      .sort((a, b) => (a.member < b.member ? -1 : 1));
    let plan: Awaited<ReturnType<typeof assign>>;
    try {
      plan = await assign(subscribers.map(({ member, metadata, owned }) => ({ member, metadata, owned })));
    } catch (thrown) {
      throw new Lost(`its assignor failed: ${messageOf(thrown)}`);
    }
    return [...deal(subscribers, plan, this.generation)].map(([memberId, share]) => ({
      memberId,
      memberAssignment: packShare(this.#shared, share),
    }));
  }

  #assign({ tasks, metadata }: Share): void {
    this.#owned = tasks;
    this.identity = { group: this.#options.group, member: this.#id, generation: this.generation };
    this.#options.onAssign({ ...this.identity, tasks, metadata });
    this.#admitted?.resolve();
    this.#admitted = undefined;
  }

  /** Lets the application give up tasks; heartbeats go on. */
  async #revoke(tasks: readonly string[]): Promise<void> {
    const done = new AbortController();
    const beating = this.#beat(done.signal, LONGEST_BEAT_MS, false);
    beating.catch(() => undefined);
    const given = this.#options.onRevoke(tasks).then(
      () => true,
      () => true,
    );
    const late = this.#shared.clock.sleep(this.#revokeMs, done.signal).then(() => false);
    try {
      const inTime = await Promise.race([given, late, beating.then(() => true)]);
      if (!inTime) throw new Lost(`it did not give up its tasks within ${this.#revokeMs} ms`);
    } finally {
      done.abort();
    }
    this.#owned = this.#owned.filter((task) => !tasks.includes(task));
  }

  /** Holds what it has until the group rebalances, or a new assignment is wanted. */
  async #hold(settled: boolean): Promise<void> {
    if (this.#wanted || this.#ended) return;
    this.#wake = new AbortController();
    await this.#beat(this.#wake.signal, settled ? LONGEST_BEAT_MS : SHORT_BEAT_MS, true);
  }

  /** Beats until the signal; with `listen`, until the group rebalances. Pauses grow from the first. */
  async #beat(signal: AbortSignal, firstMs: Millis, listen: boolean): Promise<void> {
    const longest = Math.min(LONGEST_BEAT_MS, Math.max(1, Math.floor(this.#sessionMs / BEATS)));
    for (let pauseMs = Math.min(firstMs, longest); ; pauseMs = Math.min(longest, pauseMs * 2)) {
      if (!(await this.#shared.clock.sleep(pauseMs, signal)) || this.#ended) return;
      const holds = await this.#asking((coordinator) => this.#heartbeat(coordinator));
      if (holds === false && listen) return;
    }
  }

  /** False where the group rebalances. */
  async #heartbeat(coordinator: LibraryBroker): Promise<boolean> {
    const { group } = this.#options;
    try {
      await coordinator.heartbeat({ groupId: group, groupGenerationId: this.generation, memberId: this.#id });
      return true;
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code === REBALANCE_IN_PROGRESS || code === ILLEGAL_GENERATION) return false;
      if (code === UNKNOWN_MEMBER) throw new Lost('it was not heard of in time');
      throw thrown;
    }
  }

  /**
   * Asks the coordinator until it answers: a group outlives its brokers' absence. Before the first assignment patience
   * is limited. `undefined` where the member has left meanwhile.
   */
  async #asking<T>(request: (coordinator: LibraryBroker) => Promise<T>): Promise<T | undefined> {
    const { clock, random, patienceMs, closing } = this.#shared;
    const { group } = this.#options;
    const deadline = clock.monotonic() + patienceMs;
    for (let tries = 0; !this.#ended; tries++) {
      try {
        this.#brokers.check();
        return await request(await this.#brokers.coordinator(group));
      } catch (thrown) {
        if (thrown instanceof Lost) throw thrown;
        if (this.#ended) return undefined;
        const failure = failureOfLibrary(thrown, `group ${group}`);
        if (!(failure instanceof Stale)) throw failure;
        if (this.#admitted !== undefined && clock.monotonic() > deadline) {
          throw new FlowError(
            'log.timeout',
            `joining group ${group}: no answer in ${patienceMs} ms; ${failure.message}`,
          );
        }
        await clock.sleep(backOffMs(tries, random), closing);
      }
    }
    return undefined;
  }

  /** Ends the membership on our side. False where it has ended before. */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#wake.abort();
    this.#members.remove(this.#id, this.#name);
    return true;
  }

  async #lose(thrown: unknown): Promise<void> {
    if (!this.#end()) return;
    const name = this.#id === '' ? this.#options.name : this.#id;
    const reason = `member ${name} was put out of group ${this.#options.group}: ${messageOf(thrown)}`;
    if (this.#admitted !== undefined) {
      this.#admitted.reject(thrown instanceof Lost ? new FlowError('log.fenced', reason) : thrown);
    } else if (!isFlowError(thrown, 'log.closed')) this.#options.onLost(reason, false);
    await this.#sayGoodbye();
  }

  /** Tells the broker, so that others get the tasks at once; else the session's end does. */
  async #sayGoodbye(): Promise<void> {
    // What joins waits on the connections it has: this goes over others.
    await this.#brokers.close();
    if (this.#id === '' || this.#shared.closing.aborted) return;
    const others = new Brokers(this.#shared, this.#name);
    const late = new AbortController();
    const goodbye = (async () => {
      const coordinator = await others.coordinator(this.#options.group);
      await coordinator.leaveGroup({ groupId: this.#options.group, memberId: this.#id });
    })().catch(() => undefined);
    await Promise.race([goodbye, this.#shared.clock.sleep(LEAVING_MS, late.signal)]);
    late.abort();
    await others.close();
  }
}
