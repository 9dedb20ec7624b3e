import { FlowError } from '../../core/errors.ts';
import { partitionName, type TopicPartition } from '../../core/ids.ts';
import { positionText } from '../clients/position-text.ts';
import type { CommittedPosition, GroupDescription, GroupIdentity, LogAdmin } from '../log.ts';
import type { Brokers } from './brokers.ts';
import { codeOf } from './failures.ts';
import type { LibraryAdmin, LibraryBroker } from './library.ts';
import { shareIn } from './subscription.ts';

const GROUP_ID_NOT_FOUND = 69;
/** What a broker answers to somebody who is no member, where there are members. */
const NO_MEMBER: readonly (number | undefined)[] = [22, 25, 27];
const NOBODY = { member: '', generation: -1 } as const;

export type Row = TopicPartition & CommittedPosition;

/** The groups of the cluster, or those of these names, that have members or positions, in order of name. */
export async function readGroups(
  brokers: Brokers,
  admin: LibraryAdmin,
  names?: readonly string[],
): Promise<readonly GroupDescription[]> {
  return brokers.ask('describing groups', async () => {
    const asked = names ?? (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    const found: GroupDescription[] = [];
    for (const group of [...new Set(asked)].sort()) {
      const described = await describeGroup(brokers, group);
      if (described.members.length > 0 || described.positions.length > 0) found.push(described);
    }
    return found;
  });
}

async function describeGroup(brokers: Brokers, group: string): Promise<GroupDescription> {
  const coordinator = await brokers.coordinator(group);
  const { groups } = await coordinator.describeGroups({ groupIds: [group] });
  // What a group's generation is only its members' assignments say.
  const shares = new Map(
    groups[0]!.members.map(({ memberId, memberAssignment }) => [memberId, shareIn(brokers.shared, memberAssignment)]),
  );
  return {
    group,
    generation: Math.max(0, ...[...shares.values()].map((share) => share?.generation ?? 0)),
    members: [...shares.keys()].sort(),
    tasks: new Map([...shares].flatMap(([member, share]) => (share === undefined ? [] : [[member, share.tasks]]))),
    positions: await storedPositions(coordinator, group),
  };
}

/** All positions that a group has, in order of partition. */
export async function storedPositions(coordinator: LibraryBroker, group: string): Promise<readonly Row[]> {
  const { responses } = await coordinator.offsetFetch({ groupId: group, topics: [] });
  const rows: Row[] = [];
  for (const { topic, partitions } of responses) {
    for (const { partition, offset, metadata } of partitions) {
      const position = Number(offset);
      if (position >= 0) rows.push({ topic, partition, position, metadata: positionText(metadata) });
    }
  }
  return rows.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
}

/**
 * The committed positions of a group, in the order asked. The library asks in a version of the protocol that does not
 * say whether an open transaction holds one of them.
 */
export async function committedPositions(
  brokers: Brokers,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<readonly (CommittedPosition | undefined)[]> {
  if (partitions.length === 0) return [];
  return brokers.ask(`positions of group ${group}`, async () => {
    const coordinator = await brokers.coordinator(group);
    const rows = await storedPositions(coordinator, group);
    const found = new Map(rows.map((row) => [partitionName(row.topic, row.partition), row]));
    return partitions.map(({ topic, partition }) => {
      const row = found.get(partitionName(topic, partition));
      return row && { position: row.position, metadata: row.metadata };
    });
  });
}

/** Forgets a group; nothing happens where there is none. Fails with `log.locked` while it has members. */
export async function removeGroup(brokers: Brokers, admin: LibraryAdmin, group: string): Promise<void> {
  await brokers.ask(`deleting group ${group}`, async () => {
    try {
      await admin.deleteGroups([group]);
    } catch (thrown) {
      if (codeOf(thrown) !== GROUP_ID_NOT_FOUND) throw thrown;
    }
  });
}

/** Sets positions in the name of nobody, which brokers take while a group has no members. */
export async function setGroupPositions(
  brokers: Brokers,
  ...[group, rows]: Parameters<LogAdmin['setPositions']>
): Promise<void> {
  if (rows.length === 0) return;
  await brokers.ask(`setting positions of group ${group}`, async () => {
    try {
      await storePositions(brokers, { group, ...NOBODY }, rows);
    } catch (thrown) {
      if (!NO_MEMBER.includes(codeOf(thrown))) throw thrown;
      throw new FlowError('log.locked', `group ${group} has members; stop them first`);
    }
  });
}

/** Sends positions that count by themselves, in the name of a member. */
export async function storePositions(
  brokers: Brokers,
  { group, member, generation }: GroupIdentity,
  rows: readonly Row[],
): Promise<void> {
  const coordinator = await brokers.coordinator(group);
  const topics = topicsOf(rows);
  await coordinator.offsetCommit({ groupId: group, groupGenerationId: generation, memberId: member, topics });
}

/** Rows by topic, as the library takes them. */
export function topicsOf(rows: readonly Row[]) {
  return [...Map.groupBy(rows, ({ topic }) => topic)].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition, position, metadata }) => ({ partition, offset: String(position), metadata })),
  }));
}
