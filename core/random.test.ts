import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uniqueId } from './random.ts';

test('ids are of 22 letters and digits, and none comes twice', () => {
  const ids = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const id = uniqueId();
    assert.match(id, /^[0-9a-f]{22}$/);
    ids.add(id);
  }
  assert.equal(ids.size, 10_000);
});
