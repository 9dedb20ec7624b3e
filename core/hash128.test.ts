import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash128 } from './hash128.ts';

function hashed(text: string, before = 0): string {
  const bytes = Buffer.concat([Buffer.alloc(before, 7), Buffer.from(text), Buffer.from([9])]);
  const words = new Int32Array(4);
  hash128(bytes, before, bytes.length - 1, words);
  return [...words].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

test('it is MurmurHash3 for 32-bit machines, wherever the bytes lie', () => {
  assert.equal(hashed(''), '0'.repeat(32));
  for (const before of [0, 1, 5]) {
    assert.equal(hashed('I will not buy this record, it is scratched.', before), 'a0a9683b25ac5e40d9af2895890dddf5');
  }
});

test('texts of all lengths that differ in a byte have other hashes', () => {
  const seen = new Set<string>();
  let count = 0;
  for (let length = 1; length < 40; length++) {
    for (let at = 0; at < length; at++) {
      for (const letter of 'abcdefgh') {
        seen.add(hashed('.'.repeat(at) + letter + '.'.repeat(length - at - 1)));
        count++;
      }
    }
  }
  assert.equal(seen.size, count);
});
