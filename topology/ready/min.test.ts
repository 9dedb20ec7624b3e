import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountOf, checkReady } from './ready.fixture.ts';

test('the least is that of all numbers, and Infinity of none', () => {
  checkReady<number>({
    aggregate: (sales) => sales.min({ store: 'min', of: amountOf }),
    show: String,
    judge: (min, _, amounts) => assert.equal(min, String(Math.min(...amounts))),
  });
});
