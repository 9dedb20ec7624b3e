import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoints.ts';
import type { Millis } from '../../core/ids.ts';
import type { GroupIdentity, GroupMember, MemberOptions } from '../log.ts';
import { sessionOf } from '../session.ts';
import { ask, type Request } from './ask.ts';
import type { BrokerId, Cluster, Lane } from './cluster.ts';
import { failureOf, Stale } from './error-codes.ts';
import { type Asker, heartbeat, type Joined, joinGroup, leaveGroup, syncGroup } from './group-requests.ts';
import type { Members, Membership } from './members.ts';
import { backOffMs } from './retry.ts';
import { deal, decodeShare, decodeSubscription, encodeShare, encodeSubscription, type Share } from './shares.ts';

/** Heartbeats in a session timeout, and how far apart they are at most: how soon a rebalance is heard of. */
const BEATS = 3;
const LONGEST_BEAT_MS: Millis = 1000;
/** The first pause between heartbeats where another round is certain to come. */
const SHORT_BEAT_MS: Millis = 10;
/** A member may take so many session timeouts to give up its tasks. */
const REVOKE_SESSIONS = 5;
/** How long a member that leaves tries to say so. */
const LEAVING_MS: Millis = 2000;

const ILLEGAL_GENERATION = 22;
const UNKNOWN_MEMBER = 25;
const REBALANCE_IN_PROGRESS = 27;
const MEMBER_ID_REQUIRED = 79;
const FENCED_INSTANCE = 82;

/** The group goes on without this member. */
class Lost extends Error {}
/** The group goes on with another member under the same instance id. */
class Replaced extends Error {}

/** Joins a group of the classic protocol, with the member's own assignor. Resolves with its first assignment. */
export async function joinAsMember(cluster: Cluster, members: Members, options: MemberOptions): Promise<GroupMember> {
  const member = new KafkaMember(cluster, members, options);
  await member.start();
  return member;
}

class KafkaMember implements GroupMember, Membership {
  identity: GroupIdentity;
  generation = -1;
  round: Promise<void> | undefined;
  readonly #cluster: Cluster;
  readonly #members: Members;
  readonly #options: MemberOptions;
  readonly #laneName: string;
  readonly #lane: Lane;
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

  constructor(cluster: Cluster, members: Members, options: MemberOptions) {
    this.#cluster = cluster;
    this.#members = members;
    this.#options = options;
    this.#laneName = members.laneOf(options.name);
    this.#lane = `member ${this.#laneName}`;
    this.#metadata = options.metadata;
    this.#sessionMs = sessionOf(options);
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

  rejoin(metadata: string, owned: readonly string[] = this.#owned): void {
    this.#metadata = metadata;
    this.#owned = owned;
    this.#requests++;
    this.#wanted = true;
    this.#wake.abort();
  }

  async leave(forGood = false): Promise<void> {
    if (!this.#end()) return;
    if (this.#options.instanceId === undefined || forGood) await this.#sayGoodbye('it was stopped');
  }

  async #run(): Promise<void> {
    try {
      while (!this.#ended) {
        const share = await this.#joinRound();
        if (share === undefined || this.#ended) return;
        // a static member that has just come back has nothing to give up yet
        const revoke = share.revoke.filter((task) => this.#owned.includes(task));
        if (share.final) this.#assign(share);
        else this.#renew();
        if (revoke.length > 0) {
          await this.#revoke(revoke);
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
        const joined = await this.#join();
        if (joined === undefined) return undefined;
        this.generation = joined.generation;
        const leads = joined.leader === this.#id && !joined.isSettled;
        const shares = leads ? await this.#plan(joined) : new Map();
        const share = await this.#sync(shares);
        if (share !== undefined) return share;
      }
      return undefined;
    } finally {
      this.round = undefined;
      over();
    }
  }

  async #join(): Promise<Joined | undefined> {
    while (!this.#ended) {
      const subscription = { metadata: this.#metadata, owned: this.#owned, round: this.#requests };
      const request = joinGroup(this.#asker, this.#sessionMs, this.#revokeMs, encodeSubscription(subscription));
      const joined = await this.#asking(
        this.#lane,
        () => request,
        ({ errorCode }) => errorCode,
        [MEMBER_ID_REQUIRED, UNKNOWN_MEMBER, REBALANCE_IN_PROGRESS],
      );
      if (joined === undefined) return undefined;
      const { errorCode, member } = joined;
      if (errorCode === 0) {
        this.#rename(member);
        return joined;
      }
      if (errorCode === MEMBER_ID_REQUIRED) this.#id = member;
      else if (errorCode === UNKNOWN_MEMBER) {
        if (this.#admitted === undefined) throw new Lost('it was not heard of in time');
        this.#id = '';
      }
    }
    return undefined;
  }

  #rename(id: string): void {
    this.#id = id;
    this.#members.add(id, this);
  }

  async #plan({ members, generation }: Joined): Promise<ReadonlyMap<string, Buffer>> {
    const { group, assign } = this.#options;
    const subscribers = members
      .map(({ member, subscription }) => ({ member, ...decodeSubscription(subscription, group) }))
      .sort((a, b) => (a.member < b.member ? -1 : 1));
    let plan: Awaited<ReturnType<typeof assign>>;
    try {
      plan = await assign(subscribers.map(({ member, metadata, owned }) => ({ member, metadata, owned })));
    } catch (thrown) {
      throw new Lost(`its assignor failed: ${messageOf(thrown)}`);
    }
    return new Map([...deal(subscribers, plan, generation)].map(([member, share]) => [member, encodeShare(share)]));
  }

  /** The member's share; `undefined` where the group has begun another round. */
  async #sync(shares: ReadonlyMap<string, Buffer>): Promise<Share | undefined> {
    const answer = await this.#asking(
      this.#lane,
      () => syncGroup(this.#asker, shares),
      ({ errorCode }) => errorCode,
      [REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION],
    );
    if (answer === undefined || answer.errorCode !== 0) return undefined;
    return decodeShare(answer.share, this.#options.group);
  }

  #assign({ tasks, metadata }: Share): void {
    failpoint('kafka.member.assigned');
    this.#owned = tasks;
    this.identity = { group: this.#options.group, member: this.#id, generation: this.generation };
    this.#options.onAssign({ ...this.identity, tasks, metadata });
    this.#admitted?.resolve();
    this.#admitted = undefined;
  }

  /** A round in which tasks are given up has a generation of its own. */
  #renew(): void {
    if (this.#admitted === undefined) this.#options.onRenew?.({ ...this.identity, generation: this.generation });
  }

  /** Lets the application give up tasks; heartbeats go on. */
  async #revoke(tasks: readonly string[]): Promise<void> {
    failpoint('kafka.member.revoking');
    const done = new AbortController();
    const beating = this.#beat(done.signal, LONGEST_BEAT_MS, false);
    beating.catch(() => undefined);
    const given = this.#options.onRevoke(tasks).then(
      () => true,
      () => true,
    );
    const late = this.#cluster.clock.sleep(this.#revokeMs, done.signal).then(() => false);
    try {
      const inTime = await Promise.race([given, late, beating.then(() => true)]);
      if (!inTime) throw new Lost(`it did not give up its tasks within ${this.#revokeMs} ms`);
    } finally {
      done.abort();
    }
    failpoint('kafka.member.revoked');
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
      if (!(await this.#cluster.clock.sleep(pauseMs, signal)) || this.#ended) return;
      const code = await this.#asking(
        'control',
        () => heartbeat(this.#asker),
        (answer) => answer,
        [REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION],
      );
      if (code !== undefined && code !== 0 && listen) return;
    }
  }

  get #asker(): Asker {
    const { group, instanceId } = this.#options;
    return { group, member: this.#id, generation: this.generation, instanceId };
  }

  /**
   * Asks the coordinator until it answers: a group outlives its brokers' absence. Before the first assignment patience
   * is limited. `undefined` where the member has left meanwhile; codes that are not `expected` are thrown.
   */
  async #asking<T>(
    lane: Lane,
    request: () => Request<T>,
    codeOf: (answer: T) => number,
    expected: readonly number[],
  ): Promise<T | undefined> {
    const { clock, random, patienceMs, closing, pulse } = this.#cluster;
    const { group } = this.#options;
    const deadline = clock.monotonic() + patienceMs;
    for (let tries = 0; !this.#ended; tries++) {
      try {
        const broker: BrokerId = await this.#cluster.coordinator('group', group);
        const answer = await ask(this.#cluster, broker, lane, request());
        const code = codeOf(answer);
        if (code === 0 || expected.includes(code)) return answer;
        if (code === UNKNOWN_MEMBER) throw new Lost('it was not heard of in time');
        if (code === FENCED_INSTANCE) throw new Replaced(this.#replacedReason);
        throw failureOf(code, `group ${group}`);
      } catch (thrown) {
        if (!(thrown instanceof Stale)) throw thrown;
        if (thrown.refresh) this.#cluster.stale({ coordinator: group });
        if (this.#admitted !== undefined && clock.monotonic() > deadline) {
          throw new FlowError(
            'log.timeout',
            `joining group ${group}: no answer in ${patienceMs} ms; ${thrown.message}`,
          );
        }
        pulse.again();
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
    this.#members.remove(this.#id, this.#laneName);
    // it may carry nothing any more, and a join would wait there for minutes
    this.#cluster.hangUp(this.#lane);
    return true;
  }

  async #lose(thrown: unknown): Promise<void> {
    if (!this.#end()) return;
    const name = this.#id === '' ? this.#options.name : this.#id;
    const reason = `member ${name} was put out of group ${this.#options.group}: ${messageOf(thrown)}`;
    const replaced = thrown instanceof Replaced;
    if (this.#admitted !== undefined) {
      this.#admitted.reject(thrown instanceof Lost || replaced ? new FlowError('log.fenced', reason) : thrown);
    } else if (!isFlowError(thrown, 'log.closed')) this.#options.onLost(reason, replaced);
    if (!replaced) await this.#sayGoodbye(messageOf(thrown));
  }

  get #replacedReason(): string {
    return (
      `another process has joined with its instance id ${this.#options.instanceId}, and goes on in its place; ` +
      'give every process an instance id of its own'
    );
  }

  /** Tells the broker, so that others get the tasks at once; else the session's end does. */
  async #sayGoodbye(reason: string): Promise<void> {
    if (this.#id === '') return;
    const { clock, random, closing } = this.#cluster;
    const { group } = this.#options;
    const deadline = clock.monotonic() + LEAVING_MS;
    for (let tries = 0; clock.monotonic() < deadline && !closing.aborted; tries++) {
      try {
        const broker = await this.#cluster.coordinator('group', group);
        await ask(this.#cluster, broker, 'control', leaveGroup(this.#asker, reason));
        return;
      } catch (thrown) {
        if (!(thrown instanceof Stale)) return;
        this.#cluster.stale({ coordinator: group });
        await clock.sleep(backOffMs(tries, random), closing);
      }
    }
  }
}
