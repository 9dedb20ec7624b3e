import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReady } from './ready.fixture.ts';

test('the largest is that of all numbers, by value and key, and -Infinity of none', () => {
  checkReady<number>({
    aggregate: (sales) =>
      sales.max({ store: 'max', of: ({ amount }, key) => (amount === null ? null : amount * key.length) }),
    show: String,
    judge: (max, _, amounts) => assert.equal(max, String(Math.max(...amounts.map((amount) => 2 * amount)))),
  });
});
