import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';
import { Stale } from '../kafka/error-codes.ts';
import { backOffMs } from '../kafka/retry.ts';
import type { GroupIdentity, GroupMember, MemberOptions } from '../log.ts';
import { sessionOf } from '../session.ts';
import type { Members, Membership } from './members.ts';
import { deal, type Share, type Subscription } from './shares.ts';

/** Who asks a coordinator. */
export interface Asker {
  readonly group: string;
  /** Empty before the broker has given one. */
  readonly member: string;
  readonly generation: number;
  readonly instanceId: string | undefined;
}

/** What a member hears when all have taken part in a round. */
export interface JoinedRound {
  readonly generation: number;
  readonly member: string;
  /** This member plans the round; and what the others have said, which nobody else hears. */
  readonly leads: boolean;
  readonly members: readonly (Subscription & { readonly member: string })[];
}

/**
 * The coordinator of one member's group, as a client reaches it. What a broker refuses is thrown as `Refused`, what
 * passes as `Stale`: it is asked again. Anything else ends the membership.
 */
export interface Coordinator {
  /** Takes part in the next round; waits for the others. */
  join(asker: Asker, sessionMs: Millis, revokeMs: Millis, subscription: Subscription): Promise<JoinedRound>;
  /** Gives the shares of all, from whoever leads, and answers the member's own. */
  sync(asker: Asker, shares: ReadonlyMap<string, Share>): Promise<Share>;
  heartbeat(asker: Asker): Promise<void>;
  /** Something passed that is asked for again. */
  again(failure: Stale): void;
  /** Breaks off what is being asked: the membership has ended here. */
  hangUp(): Promise<void>;
  /**
   * Says goodbye, behind `hangUp`, and does not try for long; for a member that waits for its first round under the id
   * that the broker has given it, where the client knows that.
   */
  leave(asker: Asker, reason: string): Promise<void>;
}

/** Refusals of brokers that a member has an answer to, by their codes. */
export const REFUSALS = { generation: 22, unknown: 25, rebalance: 27, fenced: 82 } as const;

export class Refused extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`refused with ${code}`);
    this.code = code;
  }
}

export interface MemberParts {
  readonly coordinator: Coordinator;
  readonly members: Members;
  /** Among the members of this log; it is free again when the member has left. */
  readonly lane: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly patienceMs: Millis;
  readonly closing: AbortSignal;
}

/** Heartbeats in a session timeout, and how far apart they are at most: how soon a rebalance is heard of. */
const BEATS = 3;
const LONGEST_BEAT_MS: Millis = 1000;
/** The first pause between heartbeats where another round is certain to come. */
const SHORT_BEAT_MS: Millis = 10;
/** A member may take so many session timeouts to give up its tasks. */
const REVOKE_SESSIONS = 5;

/** The group goes on without this member. */
class Lost extends Error {}
/** The group goes on with another member under the same instance id. */
class Replaced extends Error {}

/** Joins a group of the classic protocol, with the member's own assignor. Resolves with its first assignment. */
export async function joinGroup(
  parts: MemberParts,
  options: MemberOptions,
  reached: MemberFailpoint = () => undefined,
): Promise<GroupMember> {
  const member = new RoundsMember(parts, options, reached);
  await member.start();
  return member;
}

/** Called where a process may be made to end. */
export type MemberFailpoint = (at: 'assigned' | 'revoking' | 'revoked') => void;

/** A task changes hands in two rounds: in the first its owner gives it up, in the second another gets it. */
class RoundsMember implements GroupMember, Membership {
  identity: GroupIdentity;
  generation = -1;
  round: Promise<void> | undefined;
  readonly #parts: MemberParts;
  readonly #options: MemberOptions;
  readonly #reached: MemberFailpoint;
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

  constructor(parts: MemberParts, options: MemberOptions, reached: MemberFailpoint) {
    this.#parts = parts;
    this.#options = options;
    this.#reached = reached;
    this.#metadata = options.metadata;
    this.#sessionMs = sessionOf(options);
    this.#revokeMs = this.#sessionMs * REVOKE_SESSIONS;
    this.identity = { group: options.group, member: '', generation: -1 };
  }

  /** Resolves when the first assignment holds. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#admitted = { resolve, reject };
      this.#parts.members.add(this);
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
    const { group } = this.#options;
    this.#admitted?.reject(new FlowError('log.closed', `the log was closed while joining ${group}`));
    const stays = this.#options.instanceId !== undefined && !forGood;
    await this.#goAway(stays ? undefined : 'it was stopped');
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
        try {
          return await this.#once();
        } catch (thrown) {
          this.#again(thrown);
        }
      }
      return undefined;
    } finally {
      this.round = undefined;
      over();
    }
  }

  async #once(): Promise<Share | undefined> {
    const { coordinator } = this.#parts;
    const joined = await this.#asking(() =>
      coordinator.join(this.#asker, this.#sessionMs, this.#revokeMs, {
        metadata: this.#metadata,
        owned: this.#owned,
        round: this.#requests,
      }),
    );
    if (joined === undefined) return undefined;
    this.#id = joined.member;
    this.generation = joined.generation;
    const shares = joined.leads ? await this.#plan(joined) : new Map<string, Share>();
    return this.#asking(() => coordinator.sync(this.#asker, shares));
  }

  /** Whether a round that was refused begins anew. */
  #again(thrown: unknown): void {
    if (!(thrown instanceof Refused)) throw thrown;
    if (thrown.code !== REFUSALS.unknown) return;
    if (this.#admitted === undefined) throw new Lost('it was not heard of in time');
    this.#id = '';
  }

  async #plan({ members, generation }: JoinedRound): Promise<ReadonlyMap<string, Share>> {
    const { assign } = this.#options;
    const subscribers = members.toSorted((a, b) => (a.member < b.member ? -1 : 1));
    let plan: Awaited<ReturnType<typeof assign>>;
    try {
      plan = await assign(subscribers.map(({ member, metadata, owned }) => ({ member, metadata, owned })));
    } catch (thrown) {
      throw new Lost(`its assignor failed: ${messageOf(thrown)}`);
    }
    return deal(subscribers, plan, generation);
  }

  #assign({ tasks, metadata }: Share): void {
    this.#reached('assigned');
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
    this.#reached('revoking');
    const done = new AbortController();
    const beating = this.#beat(done.signal, LONGEST_BEAT_MS, false);
    beating.catch(() => undefined);
    const given = this.#options.onRevoke(tasks).then(
      () => true,
      () => true,
    );
    const late = this.#parts.clock.sleep(this.#revokeMs, done.signal).then(() => false);
    try {
      const inTime = await Promise.race([given, late, beating.then(() => true)]);
      if (!inTime) throw new Lost(`it did not give up its tasks within ${this.#revokeMs} ms`);
    } finally {
      done.abort();
    }
    this.#reached('revoked');
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
      if (!(await this.#parts.clock.sleep(pauseMs, signal)) || this.#ended) return;
      try {
        await this.#asking(() => this.#parts.coordinator.heartbeat(this.#asker));
      } catch (thrown) {
        if (!(thrown instanceof Refused)) throw thrown;
        if (thrown.code === REFUSALS.unknown) throw new Lost('it was not heard of in time');
        if (listen) return;
      }
    }
  }

  get #asker(): Asker {
    const { group, instanceId } = this.#options;
    return { group, member: this.#id, generation: this.generation, instanceId };
  }

  /**
   * Asks until there is an answer: a group outlives its brokers' absence. Before the first assignment patience is
   * limited. `undefined` where the member has left meanwhile.
   */
  async #asking<T>(request: () => Promise<T>): Promise<T | undefined> {
    const { clock, random, patienceMs, closing, coordinator } = this.#parts;
    const deadline = clock.monotonic() + patienceMs;
    for (let tries = 0; !this.#ended; tries++) {
      try {
        return await request();
      } catch (thrown) {
        if (this.#ended) return undefined;
        if (thrown instanceof Refused && thrown.code === REFUSALS.fenced) throw new Replaced(this.#replacedReason);
        if (!(thrown instanceof Stale)) throw thrown;
        if (this.#admitted !== undefined && clock.monotonic() > deadline) {
          const what = `joining group ${this.#options.group}`;
          throw new FlowError('log.timeout', `${what}: no answer in ${patienceMs} ms; ${thrown.message}`);
        }
        coordinator.again(thrown);
        await clock.sleep(backOffMs(tries, random), closing);
      }
    }
    return undefined;
  }

  get #replacedReason(): string {
    return (
      `another process has joined with its instance id ${this.#options.instanceId}, and goes on in its place; ` +
      'give every process an instance id of its own'
    );
  }

  /** Ends the membership on our side. False where it has ended before. */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#wake.abort();
    this.#parts.members.remove(this, this.#parts.lane);
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
    await this.#goAway(replaced ? undefined : messageOf(thrown));
  }

  /** Breaks off what is being asked; with a reason it tells the broker too, so that others get the tasks at once. */
  async #goAway(reason: string | undefined): Promise<void> {
    const { coordinator } = this.#parts;
    await coordinator.hangUp();
    if (reason !== undefined) await coordinator.leave(this.#asker, reason);
  }
}
