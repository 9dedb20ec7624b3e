import type { Bytes } from '../../core/bytes.ts';
import type { TopicPartition } from '../../core/ids.ts';
import type { Asker } from '../clients/group-member.ts';
import { positionText } from '../clients/position-text.ts';
import type { Request } from './ask.ts';

const API = { positions: 9, join: 11, heartbeat: 12, leave: 13, sync: 14 } as const;

/** The kind of our groups; others cannot join them. */
export const PROTOCOL_TYPE = 'nodeflow';
/** What the subscriptions and shares of all members are written in. */
export const PROTOCOL = 'tasks';

export interface Joined {
  readonly errorCode: number;
  readonly generation: number;
  readonly leader: string;
  readonly member: string;
  /** The generation goes on as it is assigned: a static leader that has come back assigns nothing. */
  readonly isSettled: boolean;
  /** Told to the leader only. */
  readonly members: readonly { readonly member: string; readonly subscription: Bytes }[];
}

/** Takes part in the next round; answered when all members do. */
export function joinRequest(
  { group, member, instanceId }: Asker,
  sessionTimeoutMs: number,
  rebalanceTimeoutMs: number,
  subscription: Bytes,
): Request<Joined> {
  return {
    api: API.join,
    version: 9,
    write: (writer) => {
      writer.appendString(group).appendInt32(sessionTimeoutMs).appendInt32(rebalanceTimeoutMs);
      writer.appendString(member).appendString(instanceId).appendString(PROTOCOL_TYPE);
      writer.appendArray([PROTOCOL], (_, name) => writer.appendString(name).appendBytes(subscription));
      writer.appendString(null);
    },
    read: (reader) => {
      reader.readInt32();
      const errorCode = reader.readInt16();
      const generation = reader.readInt32();
      reader.readNullableString();
      reader.readNullableString();
      const leader = reader.readString();
      const isSettled = reader.readBoolean();
      const own = reader.readString();
      const members = reader.readArray(() => {
        const id = reader.readString();
        reader.readNullableString();
        return { member: id, subscription: Buffer.from(reader.readBytes()) };
      });
      return { errorCode, generation, leader, member: own, isSettled, members };
    },
  };
}

/** Gives the shares of all, from the leader, and answers the member's own. */
export function syncRequest(
  { group, member, generation, instanceId }: Asker,
  shares: ReadonlyMap<string, Bytes>,
): Request<{ readonly errorCode: number; readonly share: Bytes }> {
  return {
    api: API.sync,
    version: 5,
    write: (writer) => {
      writer.appendString(group).appendInt32(generation).appendString(member).appendString(instanceId);
      writer.appendString(PROTOCOL_TYPE).appendString(PROTOCOL);
      writer.appendArray([...shares], (_, [id, share]) => writer.appendString(id).appendBytes(share));
    },
    read: (reader) => {
      reader.readInt32();
      const errorCode = reader.readInt16();
      reader.readNullableString();
      reader.readNullableString();
      return { errorCode, share: Buffer.from(reader.readBytes()) };
    },
  };
}

export function heartbeatRequest({ group, member, generation, instanceId }: Asker): Request<number> {
  return {
    api: API.heartbeat,
    version: 4,
    write: (writer) => {
      writer.appendString(group).appendInt32(generation).appendString(member).appendString(instanceId);
    },
    read: (reader) => {
      reader.readInt32();
      return reader.readInt16();
    },
  };
}

export function leaveRequest({ group, member, instanceId }: Asker, reason: string): Request<number> {
  return {
    api: API.leave,
    version: 5,
    write: (writer) => {
      writer.appendString(group);
      writer.appendArray([member], (_, id) => writer.appendString(id).appendString(instanceId).appendString(reason));
    },
    read: (reader) => {
      reader.readInt32();
      return reader.readInt16();
    },
  };
}

export interface FetchedPosition {
  readonly topic: string;
  readonly partition: number;
  /** -1 where there is none. */
  readonly position: number;
  readonly metadata: string;
  readonly errorCode: number;
}

/** The committed positions of a group; those that an open transaction may change are answered with an error code. */
export function fetchPositions(
  group: string,
  partitions: readonly TopicPartition[],
): Request<{ readonly errorCode: number; readonly positions: readonly FetchedPosition[] }> {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return {
    api: API.positions,
    version: 8,
    write: (writer) => {
      writer.appendArray([group], () => {
        writer.appendString(group).appendArray([...topics], (_, [topic, list]) => {
          writer
            .appendString(topic)
            .appendArray(list, (__, { partition }) => writer.appendInt32(partition), true, false);
        });
      });
      writer.appendBoolean(true);
    },
    read: (reader) => {
      reader.readInt32();
      const positions: FetchedPosition[] = [];
      let errorCode = 0;
      reader.readArray(() => {
        reader.readString();
        reader.readArray(() => {
          const topic = reader.readString();
          reader.readArray(() => {
            const partition = reader.readInt32();
            const position = Number(reader.readInt64());
            reader.readInt32();
            const metadata = positionText(reader.readString());
            positions.push({ topic, partition, position, metadata, errorCode: reader.readInt16() });
          });
        });
        errorCode = reader.readInt16();
      });
      return { errorCode, positions };
    },
  };
}
