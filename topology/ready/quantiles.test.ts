import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Quantiles } from '../../schemas/schemas.ts';
import { amountOf, checkReady } from './ready.fixture.ts';

test('a quantile is as near to the true one as was asked for', () => {
  for (const error of [0.01, 0.1]) {
    checkReady<Quantiles>({
      aggregate: (sales) => sales.quantiles({ store: 'amounts', of: amountOf, error }),
      show: (all) => [all.count, all.at(0.5)],
      judge(shown, _, amounts) {
        const [count, median] = shown as [number, number | null];
        const sorted = amounts.toSorted((a, b) => a - b);
        const middle = sorted[Math.floor(0.5 * (sorted.length - 1))];
        assert.equal(count, amounts.length);
        if (middle === undefined) assert.equal(median, null);
        else assert.ok(Math.abs(median! - middle) <= 1.01 * error * Math.abs(middle), `${median} for ${middle}`);
      },
    });
  }
});
