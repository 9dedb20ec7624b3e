import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkHouse } from './house/check.ts';
import { readTree } from './house/tree.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the tree keeps the rules of the house', () => {
  const tree = readTree(root);
  assert.ok(tree.size > 50, 'the tree was found');
  const faults = checkHouse(tree).map((fault) => `${fault.file}:${fault.line} ${fault.rule}: ${fault.message}`);
  assert.deepEqual(faults, []);
});
