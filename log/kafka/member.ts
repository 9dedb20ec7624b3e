import { failpoint } from '../../core/failpoints.ts';
import type { Millis } from '../../core/ids.ts';
import {
  type Asker,
  type Coordinator,
  type JoinedRound,
  joinGroup,
  REFUSALS,
  Refused,
} from '../clients/group-member.ts';
import type { Members } from '../clients/members.ts';
import {
  decodeShare,
  decodeSubscription,
  encodeShare,
  encodeSubscription,
  type Share,
  type Subscription,
} from '../clients/shares.ts';
import type { GroupMember, MemberOptions } from '../log.ts';
import { ask, type Request } from './ask.ts';
import type { Cluster, Lane } from './cluster.ts';
import { failureOf, type Stale } from './error-codes.ts';
import { heartbeatRequest, joinRequest, leaveRequest, syncRequest } from './group-requests.ts';
import { retry } from './retry.ts';

/** How long a member that leaves tries to say so. */
const LEAVING_MS: Millis = 2000;
const MEMBER_ID_REQUIRED = 79;
const ANSWERED: readonly number[] = Object.values(REFUSALS);

/** Joins a group of the classic protocol, with the member's own assignor. Resolves with its first assignment. */
export function joinAsMember(cluster: Cluster, members: Members, options: MemberOptions): Promise<GroupMember> {
  const lane = members.laneOf(options.name);
  const { clock, random, patienceMs, closing } = cluster;
  const coordinator = new KafkaCoordinator(cluster, options.group, `member ${lane}`);
  const parts = { coordinator, members, lane, clock, random, patienceMs, closing };
  return joinGroup(parts, options, (at) => failpoint(`kafka.member.${at}`));
}

class KafkaCoordinator implements Coordinator {
  readonly #cluster: Cluster;
  readonly #group: string;
  /** Of requests that wait for other members. */
  readonly #lane: Lane;
  /** The id that the broker has given to a member which has none, and waits for. */
  #given = '';

  constructor(cluster: Cluster, group: string, lane: Lane) {
    this.#cluster = cluster;
    this.#group = group;
    this.#lane = lane;
  }

  async join(asker: Asker, sessionMs: Millis, revokeMs: Millis, subscription: Subscription): Promise<JoinedRound> {
    const words = encodeSubscription(subscription);
    for (;;) {
      const joined = await this.#ask(this.#lane, joinRequest(this.#as(asker), sessionMs, revokeMs, words));
      this.#given = joined.errorCode === MEMBER_ID_REQUIRED ? joined.member : '';
      if (joined.errorCode === MEMBER_ID_REQUIRED) continue;
      this.#refuse(joined.errorCode);
      const { generation, member, leader, isSettled, members } = joined;
      return {
        ...{ generation, member, leads: leader === member && !isSettled },
        members: members.map((one) => ({ member: one.member, ...decodeSubscription(one.subscription, this.#group) })),
      };
    }
  }

  async sync(asker: Asker, shares: ReadonlyMap<string, Share>): Promise<Share> {
    const encoded = new Map([...shares].map(([member, share]) => [member, encodeShare(share)]));
    const { errorCode, share } = await this.#ask(this.#lane, syncRequest(asker, encoded));
    this.#refuse(errorCode);
    return decodeShare(share, this.#group);
  }

  async heartbeat(asker: Asker): Promise<void> {
    this.#refuse(await this.#ask('control', heartbeatRequest(asker)));
  }

  again(failure: Stale): void {
    if (failure.refresh) this.#cluster.stale({ coordinator: this.#group });
    this.#cluster.pulse.again();
  }

  async hangUp(): Promise<void> {
    // it may carry nothing any more, and a join would wait there for minutes
    this.#cluster.hangUp(this.#lane);
  }

  async leave(asker: Asker, reason: string): Promise<void> {
    const as = this.#as(asker);
    if (as.member === '') return;
    const { clock, random, closing } = this.#cluster;
    const what = `leaving group ${this.#group}`;
    await retry(
      { clock, random, closing, patienceMs: LEAVING_MS },
      what,
      () => this.#ask('control', leaveRequest(as, reason)),
      { stale: () => this.#cluster.stale({ coordinator: this.#group }) },
    ).catch(() => undefined);
  }

  #as(asker: Asker): Asker {
    return asker.member === '' ? { ...asker, member: this.#given } : asker;
  }

  async #ask<T>(lane: Lane, request: Request<T>): Promise<T> {
    return ask(this.#cluster, await this.#cluster.coordinator('group', this.#group), lane, request);
  }

  #refuse(code: number): void {
    if (code === 0) return;
    throw ANSWERED.includes(code) ? new Refused(code) : failureOf(code, `group ${this.#group}`);
  }
}
