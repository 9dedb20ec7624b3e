import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../core/bytes.ts';
import { decodeFetch, encodeFetch, FETCH_VERSIONS, topicKey } from './fetch-codec.ts';
import { loadLibrary } from './library.ts';

const library = await loadLibrary();
const IDS = ['0123456789abcdef0123456789abcdef', 'ffeeddccbbaa99887766554433221100'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
const uuid = (id: Bytes) =>
  id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, (_, ...parts) => parts.slice(0, 5).join('-'));

test('a request is written as the library writes it, in every version', () => {
  const limits = { committed: true, maxWaitMs: 250, maxBytes: 4 << 20, maxPartitionBytes: 1 << 20 };
  const place = (topic: number, partition: number, position: number) => {
    return { topicId: IDS[topic]!, partition, leaderEpoch: partition + 3, position };
  };
  const partitions = [place(0, 0, 17), place(0, 5, 2 ** 40), place(1, 2, 0)];
  const { fetchV13, fetchV14, fetchV15, fetchV16, fetchV17 } = library;
  for (const [i, { createRequest }] of [fetchV13, fetchV14, fetchV15, fetchV16, fetchV17].entries()) {
    const topics = IDS.map((topicId) => ({
      topicId: uuid(topicId),
      partitions: partitions
        .filter((one) => one.topicId === topicId)
        .map(({ partition, leaderEpoch, position }) => ({
          partition,
          currentLeaderEpoch: leaderEpoch,
          fetchOffset: BigInt(position),
          lastFetchedEpoch: -1,
          partitionMaxBytes: 1 << 20,
        })),
    }));
    const theirs = createRequest(250, 1, 4 << 20, 1, 0, -1, topics, [], '').buffer;
    const ours = encodeFetch(FETCH_VERSIONS.oldest + i, limits, partitions);
    assert.deepEqual(ours.toString('hex'), theirs.toString('hex'), `version ${FETCH_VERSIONS.oldest + i}`);
  }
});

test('an answer is read to its last field, past tagged fields that nobody here needs', () => {
  const { Writer } = library;
  const writer = Writer.create().appendInt32(70).appendInt16(0).appendInt32(0).appendUnsignedVarInt(3);
  for (const id of IDS) {
    writer.appendUUID(uuid(id)).appendUnsignedVarInt(2);
    writer
      .appendInt32(4)
      .appendInt16(6)
      .appendInt64(2n ** 41n)
      .appendInt64(500n)
      .appendInt64(3n);
    writer.appendUnsignedVarInt(3);
    for (const [producer, first] of [[9n, 100n] as const, [10n, 90n] as const]) {
      writer.appendInt64(producer).appendInt64(first).appendTaggedFields();
    }
    writer.appendInt32(-1).appendUnsignedVarInt(8).append(Buffer.from('records'));
    // One tagged field: the current leader.
    writer.appendUnsignedVarInt(1).appendUnsignedVarInt(1).appendUnsignedVarInt(8).appendInt32(2).appendInt32(7);
    writer.appendTaggedFields();
  }
  writer.appendTaggedFields();
  const bytes = Buffer.concat([Buffer.from('head'), writer.buffer]);
  const { throttleMs, errorCode, partitions } = decodeFetch(bytes, 4);
  assert.deepEqual([throttleMs, errorCode], [70, 0]);
  assert.deepEqual(
    partitions.map(({ topic }) => topic),
    IDS.map(topicKey),
  );
  for (const { partition, errorCode, highWatermark, stable, aborted, recordsStart, recordsEnd } of partitions) {
    assert.deepEqual([partition, errorCode, highWatermark, stable], [4, 6, 2 ** 41, 500]);
    assert.deepEqual(aborted, [9, 100, 10, 90]);
    assert.equal(bytes.toString('utf8', recordsStart, recordsEnd), 'records');
  }
});

test('null lists and null records count as empty', () => {
  const { Writer } = library;
  const writer = Writer.create().appendInt32(0).appendInt16(0).appendInt32(0).appendUnsignedVarInt(2);
  writer.appendUUID(uuid(IDS[0]!)).appendUnsignedVarInt(2);
  writer.appendInt32(0).appendInt16(0).appendInt64(5n).appendInt64(5n).appendInt64(0n);
  writer.appendUnsignedVarInt(0).appendInt32(-1).appendUnsignedVarInt(0).appendTaggedFields();
  writer.appendTaggedFields().appendTaggedFields();
  const [found] = decodeFetch(writer.buffer, 0).partitions;
  assert.deepEqual(found?.aborted, []);
  assert.equal(found.recordsStart, found.recordsEnd);
});
