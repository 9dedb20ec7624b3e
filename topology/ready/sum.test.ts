import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountOf, checkReady, sell } from './ready.fixture.ts';

test('a sum is that of all numbers, and 0 of none', () => {
  checkReady<number>({
    aggregate: (sales) => sales.sum({ store: 'sum', of: amountOf }),
    show: (sum) => sum,
    judge: (sum, _, amounts) =>
      assert.equal(
        sum,
        amounts.reduce((a, b) => a + b, 0),
      ),
  });
});

test('a function that answers no number says so', () => {
  const add = () => sell((sales) => sales.sum({ store: 'sum', of: () => Number.NaN }), { item: 'x', amount: 2 });
  assert.throws(add, /sum of store sum: its function answered NaN; answer a finite number/);
});
