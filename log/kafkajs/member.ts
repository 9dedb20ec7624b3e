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
import type { Share, Subscription } from '../clients/shares.ts';
import type { GroupMember, MemberOptions } from '../log.ts';
import { Brokers, type Shared } from './brokers.ts';
import { codeOf, failureOfLibrary } from './failures.ts';
import { storedPositions } from './group-admin.ts';
import type { LibraryBroker } from './library.ts';
import { packShare, packSubscription, unpackShare, unpackSubscription } from './subscription.ts';

/** How long a member that leaves tries to say so. */
const LEAVING_MS: Millis = 2000;
/** What the subscriptions and shares of all members are written in. */
const PROTOCOL = 'nodeflow-tasks';
const ANSWERED: readonly number[] = Object.values(REFUSALS);

/**
 * Joins a group with the member's own assignor, by the requests of the library's brokers: its own consumer tells
 * nobody what else than partitions a member was assigned. Resolves with the first assignment.
 */
export function joinAsMember(shared: Shared, members: Members, options: MemberOptions): Promise<GroupMember> {
  const lane = members.laneOf(options.name);
  const { clock, random, patienceMs, closing } = shared;
  const coordinator = new KafkaJsCoordinator(shared, options.group, lane);
  return joinGroup({ coordinator, members, lane, clock, random, patienceMs, closing }, options);
}

class KafkaJsCoordinator implements Coordinator {
  readonly #shared: Shared;
  readonly #group: string;
  readonly #lane: string;
  readonly #brokers: Brokers;

  constructor(shared: Shared, group: string, lane: string) {
    this.#shared = shared;
    this.#group = group;
    this.#lane = lane;
    // The broker makes member ids of client ids.
    this.#brokers = new Brokers(shared, lane);
  }

  join({ member }: Asker, sessionMs: Millis, revokeMs: Millis, subscription: Subscription): Promise<JoinedRound> {
    return this.#ask(async (coordinator) => {
      const stored = await storedPositions(coordinator, this.#group);
      const topics = [...new Set(stored.map(({ topic }) => topic))];
      const joined = await coordinator.joinGroup({
        groupId: this.#group,
        memberId: member,
        sessionTimeout: sessionMs,
        rebalanceTimeout: revokeMs,
        groupProtocols: [{ name: PROTOCOL, metadata: packSubscription(this.#shared, topics, subscription) }],
      });
      return {
        generation: joined.generationId,
        member: joined.memberId,
        leads: joined.leaderId === joined.memberId,
        members: joined.members.map(({ memberId, memberMetadata }) => ({
          member: memberId,
          ...unpackSubscription(this.#shared, memberMetadata as Buffer<ArrayBuffer>, this.#group),
        })),
      };
    });
  }

  sync({ member, generation }: Asker, shares: ReadonlyMap<string, Share>): Promise<Share> {
    return this.#ask(async (coordinator) => {
      const { memberAssignment } = await coordinator.syncGroup({
        groupId: this.#group,
        generationId: generation,
        memberId: member,
        groupAssignment: [...shares].map(([memberId, share]) => ({
          memberId,
          memberAssignment: packShare(this.#shared, share),
        })),
      });
      return unpackShare(this.#shared, memberAssignment, this.#group);
    });
  }

  async heartbeat({ group, member, generation }: Asker): Promise<void> {
    await this.#ask((coordinator) =>
      coordinator.heartbeat({ groupId: group, groupGenerationId: generation, memberId: member }),
    );
  }

  again(): void {
    // the library looks for the coordinator by itself
  }

  async hangUp(): Promise<void> {
    // the library closes a connection only behind the answers, and a join has its own when the round is over
    void this.#brokers.close();
  }

  /** What joined waited on the connections that were hung up: this goes over others. */
  async leave({ group, member }: Asker): Promise<void> {
    if (member === '' || this.#shared.closing.aborted) return;
    const others = new Brokers(this.#shared, this.#lane);
    const late = new AbortController();
    const goodbye = (async () => {
      const coordinator = await others.coordinator(group);
      await coordinator.leaveGroup({ groupId: group, memberId: member });
    })().catch(() => undefined);
    await Promise.race([goodbye, this.#shared.clock.sleep(LEAVING_MS, late.signal)]);
    late.abort();
    await others.close();
  }

  async #ask<T>(request: (coordinator: LibraryBroker) => Promise<T>): Promise<T> {
    try {
      this.#brokers.check();
      return await request(await this.#brokers.coordinator(this.#group));
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code !== undefined && ANSWERED.includes(code)) throw new Refused(code);
      throw failureOfLibrary(thrown, `group ${this.#group}`);
    }
  }
}
