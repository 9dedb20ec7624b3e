import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOCTORED, selfTest } from './doctored.ts';

test('the checker finds in each doctored result what is wrong with it, and nothing in a good one', () => {
  assert.ok(DOCTORED.length >= 12);
  for (const seed of [1, 2, 3]) assert.deepEqual(selfTest(seed), []);
});
