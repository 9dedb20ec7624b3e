import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batch } from '../conformance/bench.conformance.ts';
import { decodeProduce, encodeProduce } from './produce-codec.ts';

const bytes = (...parts: (number | string | Buffer)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.of(part) : typeof part === 'string' ? Buffer.from(part) : part,
    ),
  );
const int32 = (value: number): Buffer => Buffer.of(value >>> 24, value >>> 16, value >>> 8, value);
const int64 = (value: number): Buffer => Buffer.concat([int32(Math.floor(value / 2 ** 32)), int32(value)]);

test('a request names each topic once, and holds the batches uncopied', () => {
  const one = batch('a=1');
  const two = batch('b=2', 'c=3');
  const three = batch('d=4');
  const parts = encodeProduce('me', 3000, [
    { topic: 't', partition: 1, batch: one },
    { topic: 'u', partition: 0, batch: two },
    { topic: 't', partition: 2, batch: three },
  ]);
  for (const each of [one, two, three]) assert.ok(parts.includes(each));
  const entry = (partition: number, records: Buffer) => bytes(int32(partition), records.length + 1, records, 0);
  assert.deepEqual(
    Buffer.concat(parts),
    bytes(
      ...[3, 'me', 0xff, 0xff, int32(3000), 3],
      ...[2, 't', 3, entry(1, one), entry(2, three), 0],
      ...[2, 'u', 2, entry(0, two), 0],
      0,
    ),
  );
  assert.equal(encodeProduce(undefined, 1, [])[0]![0], 0);
});

test('an answer gives a result a partition, with what the broker says of it', () => {
  const good = bytes(int32(4), 0, 0, int64(2 ** 40), int64(-1), int64(0), 1, 0, 0);
  const leader = bytes(1, 0, 9, int32(2), int32(5), 0);
  const moved = bytes(int32(5), 0, 6, int64(-1), int64(-1), int64(-1), 0, 0, leader);
  const refused = bytes(int32(0), 0, 87, int64(-1), int64(-1), int64(-1), 2, int32(0), 4, 'odd', 0, 0, 0);
  const answer = bytes('skipped', 3, 2, 't', 3, good, moved, 0, 2, 'u', 2, refused, 0, int32(0), 0);
  assert.deepEqual(decodeProduce({ bytes: answer, start: 7, end: answer.length }), [
    { topic: 't', partition: 4, code: 0, base: 2 ** 40, message: '' },
    { topic: 't', partition: 5, code: 6, base: -1, message: '' },
    { topic: 'u', partition: 0, code: 87, base: -1, message: 'odd' },
  ]);
  assert.throws(() => decodeProduce({ bytes: answer, start: 7, end: 30 }), RangeError);
});
