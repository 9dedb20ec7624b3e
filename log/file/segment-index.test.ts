import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SegmentIndex } from './segment-index.ts';

const batches = fc.array(
  fc.record({ records: fc.integer({ min: 1, max: 500 }), bytes: fc.integer({ min: 70, max: 300_000 }) }),
  {
    maxLength: 40,
  },
);

test('a position is found at or before its batch, and a read ends at a batch wherever one is known', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 2_000_000 }), (all, chosen, most) => {
      const index = new SegmentIndex(100);
      const starts: number[] = [];
      let position = 100;
      for (const { records, bytes } of all) {
        starts.push(index.covered);
        index.add(position, position + records - 1, bytes, 0);
        position += records;
      }
      assert.equal(index.next, position);
      const at = starts[chosen % Math.max(1, all.length)] ?? 0;
      const batch = starts.indexOf(at);
      const base = 100 + all.slice(0, batch).reduce((sum, { records }) => sum + records, 0);
      const place = index.place(base);
      assert.ok(place <= at && (starts.includes(place) || all.length === 0));
      const length = index.wholeLength(at, most);
      assert.ok(length > 0 && length <= most);
      if (length < most) assert.ok(starts.includes(at + length));
      // What a shorter read leaves out is less than two rows of the index.
      if (length < most) assert.ok(most - length < (64 << 10) + 300_000);
    }),
  );
});
