import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SortedRows } from './sorted.ts';

/** The row of key `n` is `n`. */
const orderOf = (key: number) => (row: number) => row - key;

function rowsOf(sorted: SortedRows): number[] {
  const rows: number[] = [];
  for (let place = 0; sorted.at(place) >= 0; place = sorted.after(place)) rows.push(sorted.at(place));
  return rows;
}

test('rows stand in order after any inserts and removals, and each key is found', () => {
  const first = fc.uniqueArray(fc.nat(3000), { maxLength: 600 });
  const runs = fc.array(fc.record({ from: fc.nat(3000), count: fc.nat(700), step: fc.constantFrom(-1, 1, 7) }));
  fc.assert(
    fc.property(first, runs, fc.array(fc.nat(3000), { maxLength: 300 }), (start, inserted, removed) => {
      const expected = new Set(start);
      const sorted = SortedRows.of(Int32Array.from(start).sort());
      for (const { from, count, step } of inserted) {
        for (let i = 0, key = from; i < count; i++, key += step) {
          if (key < 0 || expected.has(key)) continue;
          expected.add(key);
          sorted.insert(key, orderOf(key));
        }
      }
      for (const key of removed) if (expected.delete(key)) sorted.remove(orderOf(key));
      const keys = [...expected].sort((a, b) => a - b);
      assert.deepEqual(rowsOf(sorted), keys);
      for (const key of [...removed, 0, 8000]) {
        const next = keys.find((each) => each >= key);
        const place = sorted.seek(orderOf(key));
        assert.equal(sorted.at(place), next ?? -1);
        if (next === undefined) assert.equal(place, sorted.end);
      }
    }),
    { numRuns: 200 },
  );
});

test('keys that rise fill their blocks', () => {
  const sorted = new SortedRows();
  for (let key = 0; key < 2560; key++) sorted.insert(key, orderOf(key));
  assert.equal(sorted.end, 10 << 9);
  let asked = 0;
  sorted.insert(2560, (row) => {
    asked++;
    return row - 2560;
  });
  assert.equal(asked, 1);
});
