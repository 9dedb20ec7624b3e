import { FlowError } from '../../core/errors.ts';
import { partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Members } from '../clients/members.ts';
import type { GroupIdentity } from '../log.ts';
import type { BrokerId, Cluster } from './cluster.ts';
import { failureOf, Stale } from './error-codes.ts';
import { retry } from './retry.ts';
import type { PartitionCode } from './transaction-requests.ts';

const UNKNOWN_TOPIC = 3;

/**
 * Sends positions in a member's name, as `request` does it: within a transaction, or by themselves. Fails with
 * `log.generation` where the assignment that the identity speaks of holds no longer.
 */
export async function sendMemberPositions(
  { cluster, members }: { readonly cluster: Cluster; readonly members: Members },
  identity: GroupIdentity,
  positions: readonly TopicPartition[],
  what: string,
  request: (broker: BrokerId, asked: GroupIdentity) => Promise<readonly PartitionCode[]>,
): Promise<void> {
  const { group } = identity;
  if (positions.length === 0) return;
  await retry(
    cluster,
    what,
    async () => {
      const asked = members.current(identity);
      const code = worstCode(await request(await cluster.coordinator('group', group), asked));
      if (code === 0) return;
      if (code === UNKNOWN_TOPIC) await checkTopics(cluster, positions);
      const failure = failureOf(code, what);
      // Between two rounds of a rebalance no generation is accepted; the member's own is, once it knows it.
      const stale = failure instanceof FlowError && failure.code === 'log.generation';
      if (stale && (await members.moved(identity, asked))) throw new Stale(`group ${group} rebalances`, false, code);
      throw failure;
    },
    { stale: () => cluster.stale({ coordinator: group }) },
  );
}

/** One answer holds a code a partition; where they differ the first that is not good counts. */
export function worstCode(codes: readonly PartitionCode[]): number {
  // 55 is said of partitions that were left out because of another.
  const bad = codes.filter(({ errorCode }) => errorCode !== 0);
  return (bad.find(({ errorCode }) => errorCode !== 55) ?? bad[0])?.errorCode ?? 0;
}

/** Fails with `topic.missing` unless all topics exist; a broker may not know yet of one that was just made. */
async function checkTopics(cluster: Cluster, positions: readonly TopicPartition[]): Promise<void> {
  for (const { topic, partition } of positions) {
    cluster.stale({ topic });
    const found = await cluster.topic(topic);
    if (found !== undefined && partition < found.partitions) continue;
    throw new FlowError(
      'topic.missing',
      `positions are kept for partitions that exist, and ${partitionName(topic, partition)} does not; create it`,
    );
  }
}
