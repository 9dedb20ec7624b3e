import { type Millis, type Position, partitionName } from '../../core/ids.ts';
import type { PartitionBounds } from '../log.ts';
import type { Cluster, Leader } from './cluster.ts';
import { retry } from './retry.ts';

const EARLIEST = -2n;
const LATEST = -1n;
const NO_REPLICA = -1;
const UNCOMMITTED = 0;
const COMMITTED = 1;
const DELETE_TIMEOUT_MS = 10_000;

/** Where a partition begins and ends, for committed readers and for others. */
export async function readBounds(cluster: Cluster, topic: string, partition: number): Promise<PartitionBounds> {
  const what = `bounds of ${partitionName(topic, partition)}`;
  const once = async () => {
    const leader = await cluster.leader(topic, partition);
    const start = await ask(cluster, leader, topic, partition, UNCOMMITTED, EARLIEST);
    const stable = await ask(cluster, leader, topic, partition, COMMITTED, LATEST);
    const end = await ask(cluster, leader, topic, partition, UNCOMMITTED, LATEST);
    return { start, stable: Math.max(start, stable), end };
  };
  return retry(cluster, what, once, { stale: () => cluster.stale({ topic }) });
}

/** Where the first record of a time or later lies, which may be an aborted one; the stable end where there is none. */
export async function readPositionSince(
  cluster: Cluster,
  topic: string,
  partition: number,
  timestamp: Millis,
): Promise<Position> {
  const what = `the position of ${partitionName(topic, partition)} at time ${timestamp}`;
  const once = async () => {
    const leader = await cluster.leader(topic, partition);
    // Negative times have other meanings there.
    const found = await ask(cluster, leader, topic, partition, COMMITTED, BigInt(Math.max(0, timestamp)));
    return found >= 0 ? found : ask(cluster, leader, topic, partition, COMMITTED, LATEST);
  };
  return retry(cluster, what, once, { stale: () => cluster.stale({ topic }) });
}

/** Removes records below a position at or below the stable one; answers where the partition begins then. */
export async function deleteBelow(
  cluster: Cluster,
  topic: string,
  partition: number,
  before: Position,
): Promise<Position> {
  const { start, stable } = await readBounds(cluster, topic, partition);
  const target = Math.min(before, stable);
  if (target <= start) return start;
  const { deleteRecordsV2 } = cluster.library;
  const once = async () => {
    const { broker } = await cluster.leader(topic, partition);
    const request = [{ name: topic, partitions: [{ partitionIndex: partition, offset: BigInt(target) }] }];
    const answer = await cluster.call(broker, 'admin', (connection, versions) =>
      versions.choose('DeleteRecords', deleteRecordsV2.api).async(connection, request, DELETE_TIMEOUT_MS),
    );
    return Number(answer.topics[0]!.partitions[0]!.lowWatermark);
  };
  const what = `deleting records of ${partitionName(topic, partition)}`;
  return retry(cluster, what, once, { stale: () => cluster.stale({ topic }) });
}

async function ask(
  cluster: Cluster,
  { broker, epoch }: Leader,
  topic: string,
  partition: number,
  isolation: number,
  timestamp: bigint,
): Promise<Position> {
  const { listOffsetsV9, listOffsetsV8, listOffsetsV7 } = cluster.library;
  const partitions = [{ partitionIndex: partition, currentLeaderEpoch: epoch, timestamp }];
  const answer = await cluster.call(broker, 'control', (connection, versions) =>
    versions
      .choose('ListOffsets', listOffsetsV9.api, listOffsetsV8.api, listOffsetsV7.api)
      .async(connection, NO_REPLICA, isolation, [{ name: topic, partitions }]),
  );
  return Number(answer.topics[0]!.partitions[0]!.offset);
}
