import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mean } from '../../schemas/schemas.ts';
import { amountOf, checkReady, sell } from './ready.fixture.ts';

test('a mean has count and sum beside, and is NaN of no numbers', () => {
  checkReady<Mean>({
    aggregate: (sales) => sales.mean({ store: 'mean', of: amountOf }),
    show: ({ count, sum, mean }) => [count, sum, String(mean)],
    judge(shown, _, amounts) {
      const sum = amounts.reduce((a, b) => a + b, 0);
      assert.deepEqual(shown, [amounts.length, sum, String(sum / amounts.length)]);
    },
  });
});

test('a function that answers no number says so', () => {
  const of = () => Number.POSITIVE_INFINITY;
  const add = () => sell((sales) => sales.mean({ store: 'mean', of }), { item: 'x', amount: 2 });
  assert.throws(add, /mean of store mean: its function answered Infinity; answer a finite number/);
});
