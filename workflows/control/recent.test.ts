import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from './recent.ts';

test('the newest are kept, up to so many bytes', () => {
  const recent = new Recent(100);
  for (let i = 0; i < 5000; i++) {
    recent.keep(`x${i}`, Buffer.alloc(10, i));
    recent.keep(`x${i}`, Buffer.alloc(10));
    if (i % 997 !== 0) continue;
    for (let j = 0; j <= i; j++) assert.equal(recent.get(`x${j}`) !== undefined, j > i - 10, `${j} at ${i}`);
    assert.equal(recent.get(`x${i}`)![0], i % 256);
  }
});

test('what is larger than all that may be kept is not, nor is anything before it', () => {
  const recent = new Recent(100);
  recent.keep('small', Buffer.alloc(10));
  recent.keep('large', Buffer.alloc(101));
  assert.deepEqual([recent.get('small'), recent.get('large')], [undefined, undefined]);
  recent.keep('next', Buffer.alloc(100));
  assert.equal(recent.get('next')!.length, 100);
});
