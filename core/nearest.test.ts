import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from './nearest.ts';

const CASES: readonly (readonly [name: string, known: readonly string[], near: readonly string[]])[] = [
  ['totl', ['note', 'total', 'items'], ['total', 'note']],
  ['ORDRES', ['orders', 'payments'], ['orders']],
  ['workers', ['run.workers', 'run.port'], ['run.workers']],
  ['worker', ['run.worker', 'workers', 'workes', 'works'], ['workers', 'workes', 'works']],
  ['id', ['a.id'], ['a.id']],
  ['id', ['a.b.id', 'orders'], []],
  ['abcdefghi', ['abcdef', 'abcde', 'abcdefghijkl', 'abcdefghijklm'], ['abcdef', 'abcdefghijkl']],
  ['', ['ab', 'abc'], ['ab']],
  ['total', [], []],
];

test('names that may have been meant: a few letters off, or the same behind a dot, best first', () => {
  for (const [name, known, near] of CASES) assert.deepEqual(nearest(name, known), near, name);
  assert.equal(didYouMean('ordres', ['orders', 'order']), '; did you mean orders or order?');
  assert.equal(didYouMean('payments', ['orders']), '');
});

test('names of any length, and any number of them, are answered at once', () => {
  const long = 'a'.repeat(1_000_000);
  assert.deepEqual(nearest(long, ['b'.repeat(1_000_000), 'c'.repeat(20)]), []);
  assert.deepEqual(nearest(long, [`b${long.slice(1)}`, `x.${long}`]), [`x.${long}`]);
  const many = Array.from({ length: 1000 }, (_, i) => `${'a'.repeat(4000)}${i}`);
  assert.deepEqual(nearest('a'.repeat(4000), many), []);
  assert.deepEqual(nearest('orders', [...many, 'ordres']), ['ordres']);
});
