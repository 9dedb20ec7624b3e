import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2, partitionForKey } from './partitioner.ts';

/** From Apache Kafka's own tests (clients, UtilsTest.testMurmur2). */
const KNOWN: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

test('murmur2 is Kafka’s, wherever the key lies', () => {
  for (const [key, hash] of KNOWN) {
    const bytes = Buffer.from(`..${key}..`);
    assert.equal(murmur2(bytes, 2, 2 + key.length), hash, key);
  }
});

test('the partition is the hash without its sign, modulo the partitions', () => {
  for (const [key, hash] of KNOWN) {
    const bytes = Buffer.from(key);
    for (const partitions of [1, 2, 3, 7, 100]) {
      const partition = partitionForKey(bytes, 0, bytes.length, partitions);
      assert.equal(partition, (hash & 0x7fffffff) % partitions);
      assert.ok(partition >= 0 && partition < partitions);
    }
  }
});
