import type { TopicPartition } from '../../core/ids.ts';
import { positionText } from '../clients/position-text.ts';
import { shareOf } from '../clients/shares.ts';
import type { CommittedPosition, GroupDescription } from '../log.ts';
import type { BrokerId, Cluster } from './cluster.ts';
import { brokerErrorOf } from './failures.ts';
import { retry } from './retry.ts';

const GROUP_ID_NOT_FOUND = 69;

/** The groups of the cluster, or those of these names, that have members or positions, in order of name. */
export async function readGroups(cluster: Cluster, names?: readonly string[]): Promise<readonly GroupDescription[]> {
  const found: GroupDescription[] = [];
  for (const group of [...new Set(names ?? (await allGroups(cluster)))].sort()) {
    const described = await describeGroup(cluster, group);
    if (described.members.length > 0 || described.positions.length > 0) found.push(described);
  }
  return found;
}

/** Forgets a group; nothing happens where there is none. Fails with `log.locked` while it has members. */
export async function removeGroup(cluster: Cluster, group: string): Promise<void> {
  const { deleteGroupsV2 } = cluster.library;
  await retry(
    cluster,
    `deleting group ${group}`,
    async () => {
      const broker = await cluster.coordinator('group', group);
      try {
        await cluster.call(broker, 'admin', (connection, versions) =>
          versions.choose('DeleteGroups', deleteGroupsV2.api).async(connection, [group]),
        );
      } catch (thrown) {
        if (brokerErrorOf(thrown)?.apiCode !== GROUP_ID_NOT_FOUND) throw thrown;
      }
    },
    { stale: () => cluster.stale({ coordinator: group }) },
  );
}

async function allGroups(cluster: Cluster): Promise<readonly string[]> {
  const names: string[] = [];
  for (const broker of await cluster.brokers()) names.push(...(await listGroups(cluster, broker)));
  return names;
}

async function listGroups(cluster: Cluster, broker: BrokerId): Promise<readonly string[]> {
  const { listGroupsV5, listGroupsV4 } = cluster.library;
  const answer = await retry(cluster, `listing the groups of broker ${broker}`, () =>
    cluster.call(broker, 'admin', (connection, versions) =>
      versions.choose('ListGroups', listGroupsV5.api, listGroupsV4.api).async(connection, [], []),
    ),
  );
  return answer.groups.map(({ groupId }) => groupId);
}

async function describeGroup(cluster: Cluster, group: string): Promise<GroupDescription> {
  const { describeGroupsV5, offsetFetchV9, offsetFetchV8 } = cluster.library;
  return retry(
    cluster,
    `describing group ${group}`,
    async () => {
      const broker = await cluster.coordinator('group', group);
      const members = await cluster
        .call(broker, 'admin', (connection, versions) =>
          versions.choose('DescribeGroups', describeGroupsV5.api).async(connection, [group], false),
        )
        .then(
          ({ groups }) => groups[0]!.members,
          (thrown: unknown) => {
            // A group of the newer protocol, or one that has just gone.
            if (brokerErrorOf(thrown)?.apiCode === GROUP_ID_NOT_FOUND) return [];
            throw thrown;
          },
        );
      const fetched = await cluster.call(broker, 'admin', (connection, versions) =>
        versions
          .choose('OffsetFetch', offsetFetchV9.api, offsetFetchV8.api)
          .async(connection, [{ groupId: group, memberId: null, memberEpoch: -1, topics: null }], false),
      );
      // What a group's generation is only its members' assignments say.
      const shares = new Map(members.map(({ memberId, memberAssignment }) => [memberId, shareOf(memberAssignment)]));
      return {
        group,
        generation: Math.max(0, ...[...shares.values()].map((share) => share?.generation ?? 0)),
        members: [...shares.keys()].sort(),
        tasks: new Map([...shares].flatMap(([member, share]) => (share === undefined ? [] : [[member, share.tasks]]))),
        positions: positionsOf(fetched.groups[0]!.topics),
      };
    },
    { stale: () => cluster.stale({ coordinator: group }) },
  );
}

interface FetchedTopic {
  readonly name: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: bigint;
    readonly metadata?: string | null | undefined;
  }[];
}

function positionsOf(topics: readonly FetchedTopic[]): (TopicPartition & CommittedPosition)[] {
  const found: (TopicPartition & CommittedPosition)[] = [];
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, committedOffset, metadata } of partitions) {
      if (committedOffset < 0n) continue;
      found.push({
        topic: name,
        partition: partitionIndex,
        position: Number(committedOffset),
        metadata: positionText(metadata),
      });
    }
  }
  return found.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
}
