import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortRows } from './sort.ts';

const key = fc.uint8Array({ maxLength: 7, max: 3 });

test('rows are sorted by key bytes, a shorter prefix first, whatever their prefixes share', () => {
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 200, selector: (each) => each.join() }), (keys) => {
      const buffers = keys.map((each) => Buffer.from(each));
      const compare = (a: number, b: number) => buffers[a]!.compare(buffers[b]!);
      const prefixOf = (row: number) => Buffer.concat([buffers[row]!, Buffer.alloc(4)]).readUInt32BE(0);
      const sorted = sortRows(Int32Array.from(keys.keys()), prefixOf, compare);
      assert.deepEqual([...sorted], [...keys.keys()].sort(compare));
    }),
    { seed: 7 },
  );
});

test('the largest prefix keeps its place', () => {
  const prefixes = [0xffffffff, 0, 0xffffffff, 1];
  const sorted = sortRows(
    Int32Array.of(0, 1, 2, 3),
    (row) => prefixes[row]!,
    (a, b) => b - a,
  );
  assert.deepEqual([...sorted], [1, 3, 2, 0]);
});
