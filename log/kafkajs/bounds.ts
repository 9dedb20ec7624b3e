import { type Millis, type Position, partitionName } from '../../core/ids.ts';
import type { PartitionBounds } from '../log.ts';
import type { Brokers } from './brokers.ts';
import type { LibraryBroker } from './library.ts';

const EARLIEST = -2;
const LATEST = -1;
const UNCOMMITTED = 0;
const COMMITTED = 1;

/** Where a partition begins and ends, for committed readers and for others. */
export function readBounds(brokers: Brokers, topic: string, partition: number): Promise<PartitionBounds> {
  return brokers.ask(`bounds of ${partitionName(topic, partition)}`, async () => {
    const leader = await brokers.leaderOf(topic, partition);
    const start = await ask(leader, topic, partition, UNCOMMITTED, EARLIEST);
    const stable = await ask(leader, topic, partition, COMMITTED, LATEST);
    const end = await ask(leader, topic, partition, UNCOMMITTED, LATEST);
    return { start, stable: Math.max(start, stable), end };
  });
}

/** Where the first record of a time or later lies; the stable end where there is none. */
export function readPositionSince(
  brokers: Brokers,
  topic: string,
  partition: number,
  timestamp: Millis,
): Promise<Position> {
  return brokers.ask(`the position of ${partitionName(topic, partition)} at time ${timestamp}`, async () => {
    const leader = await brokers.leaderOf(topic, partition);
    // Negative times have other meanings there.
    const found = await ask(leader, topic, partition, COMMITTED, Math.max(0, timestamp));
    return found >= 0 ? found : ask(leader, topic, partition, COMMITTED, LATEST);
  });
}

/** Removes records below a position at or below the stable one; answers where the partition begins then. */
export async function deleteBelow(
  brokers: Brokers,
  topic: string,
  partition: number,
  before: Position,
): Promise<Position> {
  const { start, stable } = await readBounds(brokers, topic, partition);
  const target = Math.min(before, stable);
  if (target <= start) return start;
  return brokers.ask(`deleting records of ${partitionName(topic, partition)}`, async () => {
    const leader = await brokers.leaderOf(topic, partition);
    const topics = [{ topic, partitions: [{ partition, offset: String(target) }] }];
    const answer = await leader.deleteRecords({ topics });
    return Number(answer.topics[0]!.partitions[0]!.lowWatermark);
  });
}

async function ask(
  leader: LibraryBroker,
  topic: string,
  partition: number,
  isolationLevel: number,
  timestamp: number,
): Promise<Position> {
  const topics = [{ topic, partitions: [{ partition, timestamp }] }];
  const { responses } = await leader.listOffsets({ isolationLevel, topics });
  return Number(responses[0]!.partitions[0]!.offset);
}
