import { FlowError, messageOf } from '../../core/errors.ts';
import type { Millis, TopicPartition } from '../../core/ids.ts';
import type { Given, GroupIdentity, GroupMember, LogAdmin, MemberOptions } from '../log.ts';
import { CODES } from './failures.ts';
import { call, type LibraryConsumer, type LibraryError, type Placed } from './library.ts';
import type { ConfluentMembers, Membership } from './members.ts';
import type { Shared } from './shared.ts';
import { ensureSlots, slotsTopic } from './slots.ts';

const DEFAULT_SESSION_TIMEOUT_MS: Millis = 6000;
const HEARTBEATS = 3;
/** How soon a member hears that the group rebalances. */
const LONGEST_BEAT_MS: Millis = 500;
/** How long a member that leaves waits for the library to say so. */
const LEAVING_MS: Millis = 5000;
/** How often the library is asked for news of the group. */
const POLL_MS: Millis = 50;
/** The same, while an answer of the group is waited for. */
const SHORT_POLL_MS: Millis = 2;
/** A member may take so many session timeouts to give up its tasks. */
const REVOKE_SESSIONS = 5;

/**
 * Joins a group by the library's own assignor, which deals out partitions: so tasks are dealt out as the partitions of
 * a topic of slots that holds nothing (`slots.ts`). The member's assignor says which tasks there are; who has which
 * the library decides, cooperatively. Resolves with the first assignment.
 */
export async function joinAsMember(
  shared: Shared,
  admin: LogAdmin,
  members: ConfluentMembers,
  options: MemberOptions,
): Promise<GroupMember> {
  const member = new ConfluentMember(shared, admin, members, options);
  await member.start();
  return member;
}

class ConfluentMember implements GroupMember, Membership {
  identity: GroupIdentity;
  readonly consumer: LibraryConsumer;
  readonly #shared: Shared;
  readonly #admin: LogAdmin;
  readonly #members: ConfluentMembers;
  readonly #options: MemberOptions;
  readonly #clientId: string;
  #metadata: string;
  #slotCount = 1;
  #slots: readonly number[] = [];
  #tasks: readonly string[] = [];
  /** What the library tells is taken up in the order it came. */
  #last: Promise<void> = Promise.resolve();
  /** What the library waits to be told; it does nothing else before, and does not close either. */
  #owed: (() => void) | undefined;
  readonly #storing: ((failure: Error | null | undefined) => void)[] = [];
  #wake = new AbortController();
  #ended = false;
  #admitted: { resolve(): void; reject(failure: unknown): void } | undefined;

  constructor(shared: Shared, admin: LogAdmin, members: ConfluentMembers, options: MemberOptions) {
    this.#shared = shared;
    this.#admin = admin;
    this.#members = members;
    this.#options = options;
    this.#metadata = options.metadata;
    // The broker makes member ids of client ids; by this one the member is found among others of its name.
    this.#clientId = `${options.name}-${Math.floor(shared.random.next() * 2 ** 32).toString(36)}`;
    this.identity = { group: options.group, member: '', generation: 0 };
    const session = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS;
    this.consumer = new shared.library.KafkaConsumer(
      {
        ...shared.config,
        'client.id': this.#clientId,
        'group.id': options.group,
        'session.timeout.ms': session,
        'heartbeat.interval.ms': Math.min(LONGEST_BEAT_MS, Math.max(1, Math.floor(session / HEARTBEATS))),
        'max.poll.interval.ms': Math.max(session * REVOKE_SESSIONS, session + 1),
        'partition.assignment.strategy': 'cooperative-sticky',
        'enable.auto.commit': false,
        'enable.auto.offset.store': false,
        'topic.metadata.refresh.interval.ms': 5000,
        offset_commit_cb: (failure: LibraryError | null | undefined) => this.#stored(failure),
        rebalance_cb: (failure: LibraryError | undefined, partitions: readonly TopicPartition[]) =>
          this.#heard(failure?.code, partitions),
      },
      { 'auto.offset.reset': 'latest' },
    );
    this.consumer.setDefaultConsumeTimeout(1);
  }

  /** Resolves when the first assignment holds. */
  async start(): Promise<void> {
    const { group } = this.#options;
    this.#members.enter(this);
    try {
      this.#slotCount = await ensureSlots(this.#admin, group, (await this.#planned()).tasks.length);
      await this.#shared.connect(this.consumer);
      if (this.#ended) {
        // it was told to leave before there was anything to leave
        await this.#disconnect();
        throw this.#closedWhileJoining;
      }
      const admitted = new Promise<void>((resolve, reject) => {
        this.#admitted = { resolve, reject };
      });
      this.consumer.subscribe([slotsTopic(group)]);
      void this.#poll();
      await admitted;
    } catch (thrown) {
      await this.leave();
      throw thrown;
    }
  }

  describe(metadata: string): void {
    this.#metadata = metadata;
  }

  rejoin(metadata: string): void {
    this.#metadata = metadata;
    this.#next(async () => {
      const given = await this.#mine();
      await this.#revoke(this.#tasks.filter((task) => !given.tasks.includes(task)));
      this.#assign(given);
    });
  }

  store(positions: readonly Placed[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.consumer.commit(positions);
      this.#storing.push((failure) => (failure ? reject(failure) : resolve()));
      this.#wake.abort();
    });
  }

  /** The library answers commits in the order they were sent. */
  #stored(failure: LibraryError | null | undefined): void {
    this.#storing.shift()?.(failure);
  }

  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const gone = new FlowError('log.generation', `member ${this.identity.member} has left its group`);
    for (const answer of this.#storing.splice(0)) answer(gone);
    this.#members.remove(this);
    this.#admitted?.reject(this.#closedWhileJoining);
    this.#pay();
    await this.#disconnect();
  }

  get #closedWhileJoining(): FlowError {
    return new FlowError('log.closed', `the log was closed while joining ${this.#options.group}`);
  }

  async #disconnect(): Promise<void> {
    if (!this.consumer.isConnected()) return;
    const late = new AbortController();
    const left = call<unknown>((done) => this.consumer.disconnect(done)).catch(() => undefined);
    await Promise.race([left, this.#shared.clock.sleep(LEAVING_MS, late.signal)]);
    late.abort();
  }

  /** The library serves a group only while it is asked for records, of which there are none. */
  async #poll(): Promise<void> {
    const { clock, closing } = this.#shared;
    while (!this.#ended && !closing.aborted) {
      await call((done) => this.consumer.consume(1, done)).catch((failure: LibraryError) => {
        if (failure.isFatal) this.#lose(failure.message);
      });
      this.#wake = new AbortController();
      const wake = AbortSignal.any([this.#wake.signal, closing]);
      await clock.sleep(this.#storing.length > 0 ? SHORT_POLL_MS : POLL_MS, wake);
    }
  }

  #heard(code: number | undefined, partitions: readonly TopicPartition[]): void {
    const slots = partitions.map(({ partition }) => partition);
    if (code === CODES.assign) {
      // A position is given, so that none is looked for.
      this.#owed = () => this.consumer.incrementalAssign(partitions.map((place) => ({ ...place, offset: 0 })));
      this.#next(() => this.#take(slots));
    } else if (code === CODES.revoke) {
      this.#owed = () => this.consumer.incrementalUnassign(partitions);
      if (!this.#ended && this.consumer.assignmentLost()) this.#lose('it was not heard of in time');
      else this.#next(() => this.#giveUp(slots));
    }
    if (this.#ended) this.#pay();
  }

  #pay(): void {
    const owed = this.#owed;
    this.#owed = undefined;
    try {
      owed?.();
    } catch {
      // It was closed meanwhile.
    }
  }

  async #take(slots: readonly number[]): Promise<void> {
    if (this.#ended) return;
    this.#pay();
    if (this.identity.member === '') {
      this.identity = { ...this.identity, member: await this.#memberId() };
      this.#members.add(this.identity.member, this);
    }
    this.#slots = [...this.#slots, ...slots];
    this.#assign(await this.#mine());
  }

  async #giveUp(slots: readonly number[]): Promise<void> {
    if (this.#ended) return;
    const kept = this.#slots.filter((slot) => !slots.includes(slot));
    const tasks = (await this.#planned()).tasks.filter((_, i) => kept.includes(i % this.#slotCount));
    await this.#revoke(this.#tasks.filter((task) => !tasks.includes(task)));
    this.#slots = kept;
    this.#tasks = tasks;
    this.#pay();
  }

  async #revoke(tasks: readonly string[]): Promise<void> {
    if (tasks.length === 0) return;
    const limit = (this.#options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS) * REVOKE_SESSIONS;
    const given = new AbortController();
    const late = this.#shared.clock.sleep(limit, given.signal);
    const done = this.#options.onRevoke(tasks).then(
      () => false,
      () => false,
    );
    const tooLate = await Promise.race([done, late]);
    given.abort();
    if (tooLate && !this.#ended) this.#lose(`it did not give up its tasks within ${limit} ms`);
  }

  #assign({ tasks, metadata }: Given): void {
    if (this.#ended) return;
    this.#tasks = tasks;
    this.identity = { ...this.identity, generation: this.identity.generation + 1 };
    this.#options.onAssign({ ...this.identity, tasks, metadata });
    this.#admitted?.resolve();
    this.#admitted = undefined;
  }

  /** The tasks of the slots that this member has. */
  async #mine(): Promise<Given> {
    const { tasks, metadata } = await this.#planned();
    return { tasks: tasks.filter((_, i) => this.#slots.includes(i % this.#slotCount)), metadata };
  }

  /** All tasks there are: what the assignor would give to a member that is alone. */
  async #planned(): Promise<Given> {
    const self = { member: this.#clientId, metadata: this.#metadata, owned: this.#tasks };
    return (await this.#options.assign([self])).get(this.#clientId) ?? { tasks: [], metadata: '' };
  }

  /** The library does not tell it. */
  async #memberId(): Promise<string> {
    const found = (await this.#admin.groups([this.#options.group]))[0];
    return found?.members.find((member) => member.startsWith(`${this.#clientId}-`)) ?? this.#clientId;
  }

  #next(work: () => Promise<void>): void {
    this.#last = this.#last.then(work).catch((thrown: unknown) => this.#lose(messageOf(thrown)));
  }

  #lose(why: string): void {
    if (this.#ended) return;
    const { group, name, onLost } = this.#options;
    const reason = `member ${this.identity.member || name} was put out of group ${group}: ${why}`;
    const admitted = this.#admitted;
    this.#admitted = undefined;
    if (admitted === undefined) onLost(reason, false);
    else admitted.reject(new FlowError('log.fenced', reason));
    void this.leave();
  }
}
