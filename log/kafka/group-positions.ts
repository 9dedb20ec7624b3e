import { FlowError } from '../../core/errors.ts';
import { partitionName } from '../../core/ids.ts';
import type { GroupIdentity, LogAdmin } from '../log.ts';
import { ask, type Request } from './ask.ts';
import type { Cluster } from './cluster.ts';
import { failureOf } from './error-codes.ts';
import { retry } from './retry.ts';
import type { PartitionCode } from './transaction-requests.ts';

const OFFSET_COMMIT = 8;
const VERSION = 8;
/** What a broker answers to somebody who is no member, where there are members. */
const NO_MEMBER: readonly number[] = [22, 25, 27];

type Rows = Parameters<LogAdmin['setPositions']>[1];

/** Sets positions in the name of nobody, which brokers take while a group has no members. */
export async function setGroupPositions(cluster: Cluster, group: string, rows: Rows): Promise<void> {
  if (rows.length === 0) return;
  const what = `setting positions of group ${group}`;
  await retry(
    cluster,
    what,
    async () => {
      const broker = await cluster.coordinator('group', group);
      const codes = await ask(cluster, broker, 'admin', storePositions(nobody(group), rows));
      for (const { topic, partition, errorCode } of codes) {
        if (errorCode === 0) continue;
        if (NO_MEMBER.includes(errorCode)) {
          throw new FlowError('log.locked', `group ${group} has members; stop them first`);
        }
        throw failureOf(errorCode, `${what}: ${partitionName(topic, partition)}`);
      }
    },
    { stale: () => cluster.stale({ coordinator: group }) },
  );
}

const nobody = (group: string): GroupIdentity => ({ group, member: '', generation: -1 });

/** Sends positions that count by themselves, in the name of a member. */
export function storePositions(
  { group, member, generation }: GroupIdentity,
  rows: Rows,
): Request<readonly PartitionCode[]> {
  return {
    api: OFFSET_COMMIT,
    version: VERSION,
    write: (writer) => {
      writer.appendString(group).appendInt32(generation).appendString(member).appendString(null);
      writer.appendArray([...Map.groupBy(rows, ({ topic }) => topic)], (_, [topic, partitions]) => {
        writer.appendString(topic).appendArray(partitions, (__, { partition, position, metadata }) => {
          writer.appendInt32(partition).appendInt64(BigInt(position)).appendInt32(-1).appendString(metadata);
        });
      });
    },
    read: (reader) => {
      reader.readInt32();
      const all: PartitionCode[] = [];
      reader.readArray(() => {
        const topic = reader.readString();
        reader.readArray(() => {
          all.push({ topic, partition: reader.readInt32(), errorCode: reader.readInt16() });
        });
      });
      return all;
    },
  };
}
