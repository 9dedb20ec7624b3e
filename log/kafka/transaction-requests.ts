import type { Reader, Writer } from '@platformatic/kafka';
import type { TopicPartition } from '../../core/ids.ts';
import type { CommittedPosition, GroupIdentity } from '../log.ts';
import type { Stamp } from './appender.ts';
import type { Request } from './ask.ts';

const API = {
  initProducerId: 22,
  addPartitions: 24,
  addPositions: 25,
  end: 26,
  commitPositions: 28,
  describe: 65,
} as const;

/** The two ways to speak of transactions: the repaired one (KIP-890, `transaction.version` 2), and that before it. */
export type Protocol = 'repaired' | 'old';

/** Who writes, as the coordinator of its transactions knows it. */
export interface TransactionalStamp extends Stamp {
  readonly transactionalId: string;
}

/** Gives a producer id. `before` is what this producer has already: only the one that still owns it may renew it. */
export function initProducerId(
  transactionalId: string | undefined,
  timeoutMs: number,
  before: Stamp = { producerId: -1, producerEpoch: -1 },
): Request<Stamp & { readonly errorCode: number }> {
  return {
    api: API.initProducerId,
    version: 4,
    write: (writer) => {
      writer.appendString(transactionalId).appendInt32(timeoutMs);
      writeStamp(writer, before);
    },
    read: (reader) => {
      const errorCode = readCode(reader);
      return { errorCode, ...readStamp(reader) };
    },
  };
}

/** Tells the coordinator of partitions that the transaction writes; in the repaired protocol Produce does. */
export function addPartitions(
  stamp: TransactionalStamp,
  partitions: readonly TopicPartition[],
): Request<readonly PartitionCode[]> {
  return {
    api: API.addPartitions,
    version: 3,
    write: (writer) => {
      writer.appendString(stamp.transactionalId);
      writeStamp(writer, stamp);
      writer.appendArray(byTopic(partitions), (_, [topic, list]) => {
        writer.appendString(topic).appendArray(list, (__, { partition }) => writer.appendInt32(partition), true, false);
      });
    },
    read: readPartitionCodes,
  };
}

/** Tells the coordinator of a group whose positions the transaction carries; likewise. */
export function addPositions(stamp: TransactionalStamp, group: string): Request<number> {
  return {
    api: API.addPositions,
    version: 3,
    write: (writer) => {
      writer.appendString(stamp.transactionalId);
      writeStamp(writer, stamp);
      writer.appendString(group);
    },
    read: readCode,
  };
}

/** Sends positions to the coordinator of their group; they count when the transaction is committed. */
export function commitPositions(
  protocol: Protocol,
  stamp: TransactionalStamp,
  { group, member, generation }: GroupIdentity,
  positions: readonly (TopicPartition & CommittedPosition)[],
): Request<readonly PartitionCode[]> {
  return {
    api: API.commitPositions,
    version: protocol === 'repaired' ? 5 : 3,
    write: (writer) => {
      writer.appendString(stamp.transactionalId).appendString(group);
      writeStamp(writer, stamp);
      writer.appendInt32(generation).appendString(member).appendString(null);
      writer.appendArray(byTopic(positions), (_, [topic, list]) => {
        writer.appendString(topic).appendArray(list, (__, { partition, position, metadata }) => {
          writer.appendInt32(partition).appendInt64(BigInt(position)).appendInt32(-1).appendString(metadata);
        });
      });
    },
    read: readPartitionCodes,
  };
}

/** Decides the transaction. The repaired protocol answers under what stamp the next one runs. */
export function endTransaction(
  protocol: Protocol,
  stamp: TransactionalStamp,
  commit: boolean,
): Request<{ readonly errorCode: number; readonly next: Stamp }> {
  return {
    api: API.end,
    version: protocol === 'repaired' ? 5 : 3,
    write: (writer) => {
      writer.appendString(stamp.transactionalId);
      writeStamp(writer, stamp);
      writer.appendBoolean(commit);
    },
    read: (reader) => {
      const errorCode = readCode(reader);
      return { errorCode, next: protocol === 'repaired' ? readStamp(reader) : stamp };
    },
  };
}

/** How its coordinator sees a transactional id: `Ongoing`, `PrepareCommit`, `CompleteAbort` and the like. */
export function describeTransaction(
  transactionalId: string,
): Request<Stamp & { readonly errorCode: number; readonly state: string }> {
  return {
    api: API.describe,
    version: 0,
    write: (writer) => writer.appendArray([transactionalId], (_, id) => writer.appendString(id), true, false),
    read: (reader) => {
      reader.readInt32();
      const [described] = reader.readArray(() => {
        const errorCode = reader.readInt16();
        reader.readString();
        const state = reader.readString();
        reader.readInt32();
        reader.readInt64();
        const stamp = readStamp(reader);
        reader.readArray(() => {
          reader.readString();
          reader.readArray(() => reader.readInt32(), true, false);
        });
        return { errorCode, state, ...stamp };
      });
      return described!;
    },
  };
}

export interface PartitionCode extends TopicPartition {
  readonly errorCode: number;
}

function writeStamp(writer: Writer, { producerId, producerEpoch }: Stamp): void {
  writer.appendInt64(BigInt(producerId)).appendInt16(producerEpoch);
}

function readStamp(reader: Reader): Stamp {
  return { producerId: Number(reader.readInt64()), producerEpoch: reader.readInt16() };
}

/** The error code behind the time for which the broker holds this client back. */
function readCode(reader: Reader): number {
  reader.readInt32();
  return reader.readInt16();
}

function readPartitionCodes(reader: Reader): readonly PartitionCode[] {
  reader.readInt32();
  const codes: PartitionCode[] = [];
  reader.readArray(() => {
    const topic = reader.readString();
    reader.readArray(() => codes.push({ topic, partition: reader.readInt32(), errorCode: reader.readInt16() }));
  });
  return codes;
}

function byTopic<T extends TopicPartition>(rows: readonly T[]): [topic: string, rows: T[]][] {
  return [...Map.groupBy(rows, ({ topic }) => topic)];
}
