import { partitionName, type TopicPartition } from '../../core/ids.ts';
import type { CommittedPosition } from '../log.ts';
import { ask } from './ask.ts';
import type { Cluster } from './cluster.ts';
import { failureOf } from './error-codes.ts';
import { fetchPositions } from './group-requests.ts';
import { retry } from './retry.ts';

const UNKNOWN_TOPIC = 3;
const GROUP_ID_NOT_FOUND = 69;
const UNSTABLE = 88;
const LONGEST_WAIT_MS = 50;

/**
 * The committed positions of a group, in the order asked; waits, without end, while an open transaction holds one of
 * them: its timeout ends that.
 */
export async function committedPositions(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<readonly (CommittedPosition | undefined)[]> {
  if (partitions.length === 0) return [];
  const what = `positions of group ${group}`;
  for (let waits = 1; ; waits++) {
    const found = new Map<string, CommittedPosition>();
    const unstable = await retry(
      cluster,
      what,
      async () => {
        const broker = await cluster.coordinator('group', group);
        const { errorCode, positions } = await ask(cluster, broker, 'transactions', fetchPositions(group, partitions));
        let open = errorCode === UNSTABLE;
        if (errorCode !== 0 && errorCode !== GROUP_ID_NOT_FOUND && !open) throw failureOf(errorCode, what);
        for (const { topic, partition, position, metadata, errorCode: code } of positions) {
          if (code === UNSTABLE) open = true;
          else if (code !== 0 && code !== UNKNOWN_TOPIC) throw failureOf(code, what);
          else if (position >= 0) found.set(partitionName(topic, partition), { position, metadata });
        }
        return open;
      },
      { stale: () => cluster.stale({ coordinator: group }) },
    );
    if (!unstable) return partitions.map(({ topic, partition }) => found.get(partitionName(topic, partition)));
    await cluster.clock.sleep(Math.min(LONGEST_WAIT_MS, 2 * waits), cluster.closing);
  }
}
