import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTop, type TopItem } from '../../schemas/schemas.ts';
import { amountOf, checkReady, sell } from './ready.fixture.ts';

test('the items with the largest scores, one for each id, largest first', () => {
  checkReady<readonly TopItem[]>({
    aggregate: (sales) => sales.topK({ store: 'top', k: 2, id: ({ item }) => item, score: amountOf }),
    show: (items) => items,
    judge(shown, sales) {
      const best = new Map<string, number>();
      for (const { item, amount } of sales)
        if (amount !== null) best.set(item, Math.max(amount, best.get(item) ?? amount));
      const items = [...best].map(([id, score]) => ({ id, score })).sort(compareTop);
      assert.deepEqual(shown, items.slice(0, 2));
    },
  });
});

test('what cannot be ordered, and no whole number of items, say so', () => {
  const sold = { item: 'x', amount: 2 };
  const top = (k: number, score: () => number) => () =>
    sell((sales) => sales.topK({ store: 's', k, id: () => 'x', score }), sold);
  assert.throws(
    top(0, () => 1),
    /topK of store s: k is 0; say a whole number above 0/,
  );
  assert.throws(
    top(1.5, () => 1),
    /topK of store s: k is 1.5; say a whole number above 0/,
  );
  assert.throws(
    top(1, () => Number.NaN),
    /topK of store s: its function answered NaN/,
  );
});
