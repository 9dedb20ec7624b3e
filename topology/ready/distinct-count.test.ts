import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DistinctCount } from '../../schemas/schemas.ts';
import { checkReady } from './ready.fixture.ts';

test('few different values are counted exactly', () => {
  checkReady<DistinctCount>({
    aggregate: (sales) => sales.distinctCount({ store: 'items', of: ({ item }) => item }),
    show: ({ estimate }) => estimate,
    judge: (estimate, sales) => assert.equal(estimate, new Set(sales.map(({ item }) => item)).size),
  });
});
