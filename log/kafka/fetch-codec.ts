import { type Bytes, ByteWriter, readInt16, readInt32, readInt64 } from '../../core/bytes.ts';
import type { Millis, Position } from '../../core/ids.ts';

/** The versions of Fetch that are written and read here: from 13 on topics go by their ids. */
export const FETCH_VERSIONS = { oldest: 13, newest: 17 } as const;

const NO_REPLICA_VERSION = 15;
const NO_EPOCH = -1;
const NO_POSITION = -1;
const NO_SESSION = 0;
const FINAL_SESSION_EPOCH = -1;
const TOPIC_ID_BYTES = 16;

export interface FetchPartition {
  readonly topicId: Bytes;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly position: Position;
}

export interface FetchLimits {
  readonly committed: boolean;
  readonly maxWaitMs: Millis;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
}

/** The body of a request. Partitions of one topic should stand together. */
export function encodeFetch(
  version: number,
  { committed, maxWaitMs, maxBytes, maxPartitionBytes }: FetchLimits,
  partitions: readonly FetchPartition[],
): Bytes {
  const writer = new ByteWriter(64 + 56 * partitions.length);
  if (version < NO_REPLICA_VERSION) writer.int32(-1);
  writer.int32(maxWaitMs);
  writer.int32(1);
  writer.int32(maxBytes);
  writer.byte(committed ? 1 : 0);
  writer.int32(NO_SESSION);
  writer.int32(FINAL_SESSION_EPOCH);
  writer.varint(runs(partitions) + 1);
  for (let i = 0; i < partitions.length; ) {
    const { topicId } = partitions[i]!;
    const end = runEnd(partitions, i);
    writer.copy(topicId, 0, TOPIC_ID_BYTES);
    writer.varint(end - i + 1);
    for (; i < end; i++) {
      const { partition, leaderEpoch, position } = partitions[i]!;
      writer.int32(partition);
      writer.int32(leaderEpoch);
      writer.int64(position);
      writer.int32(NO_EPOCH);
      writer.int64(NO_POSITION);
      writer.int32(maxPartitionBytes);
      writer.byte(0);
    }
    writer.byte(0);
  }
  writer.varint(1);
  writer.varint(1);
  writer.byte(0);
  return writer.bytes.subarray(0, writer.at);
}

function runs(partitions: readonly FetchPartition[]): number {
  let count = 0;
  for (let i = 0; i < partitions.length; i = runEnd(partitions, i)) count++;
  return count;
}

function runEnd(partitions: readonly FetchPartition[], start: number): number {
  const { topicId } = partitions[start]!;
  let end = start + 1;
  while (end < partitions.length && partitions[end]!.topicId.equals(topicId)) end++;
  return end;
}

/** What an answer says of one partition; its records lie in the answer's bytes. */
export interface FetchAnswerPartition {
  /** The topic's id as text of one character a byte: equal for equal ids. */
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: Position;
  readonly stable: Position;
  /** Producer and first position of each aborted transaction among the records, in pairs. */
  readonly aborted: readonly number[];
  readonly recordsStart: number;
  readonly recordsEnd: number;
}

export interface FetchAnswer {
  readonly throttleMs: Millis;
  readonly errorCode: number;
  readonly partitions: readonly FetchAnswerPartition[];
}

/** How `FetchAnswerPartition.topic` writes an id. */
export function topicKey(id: Bytes): string {
  return id.toString('latin1', 0, TOPIC_ID_BYTES);
}

export function decodeFetch(bytes: Bytes, start: number): FetchAnswer {
  const throttleMs = readInt32(bytes, start);
  const errorCode = readInt16(bytes, start + 4);
  behind = start + 10;
  const partitions: FetchAnswerPartition[] = [];
  for (let topics = varint(bytes) - 1; topics > 0; topics--) {
    const topic = bytes.toString('latin1', behind, behind + TOPIC_ID_BYTES);
    behind += TOPIC_ID_BYTES;
    for (let left = varint(bytes) - 1; left > 0; left--) partitions.push(decodePartition(bytes, topic));
    skipTags(bytes);
  }
  return { throttleMs, errorCode, partitions };
}

function decodePartition(bytes: Bytes, topic: string): FetchAnswerPartition {
  const at = behind;
  behind += 30;
  const aborted: number[] = [];
  for (let count = varint(bytes) - 1; count > 0; count--) {
    aborted.push(readInt64(bytes, behind), readInt64(bytes, behind + 8));
    behind += 16;
    skipTags(bytes);
  }
  behind += 4;
  const size = Math.max(0, varint(bytes) - 1);
  const recordsStart = behind;
  behind += size;
  skipTags(bytes);
  return {
    topic,
    partition: readInt32(bytes, at),
    errorCode: readInt16(bytes, at + 4),
    highWatermark: readInt64(bytes, at + 6),
    stable: readInt64(bytes, at + 14),
    aborted,
    recordsStart,
    recordsEnd: recordsStart + size,
  };
}

/** Where the last field ended. */
let behind = 0;

function varint(bytes: Bytes): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[behind++]!;
    value |= (byte & 127) << shift;
    if (!(byte > 127)) return value;
  }
}

function skipTags(bytes: Bytes): void {
  for (let count = varint(bytes); count > 0; count--) {
    varint(bytes);
    const size = varint(bytes);
    behind += size;
  }
}
