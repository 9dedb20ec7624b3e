import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLent, lend, recycle } from './buffer-pool.ts';

const SIZES = [0, 1, 511, 512, 513, 4096, 8192, 10_000, 65_535, 65_536, 65_537, 131_072, 1_000_000, 4 << 20, 5_000_000];

test('what is lent has room, not much more where it is large, and memory of its own', () => {
  const lent = SIZES.map((size) => lend(size));
  for (const [i, bytes] of lent.entries()) {
    const size = SIZES[i]!;
    assert.ok(bytes.length >= size && isLent(bytes), String(size));
    assert.equal(bytes.buffer.byteLength, bytes.length);
    if (size > 65_536) assert.ok(bytes.length < size + 65_536, String(size));
    else assert.ok(bytes.length <= Math.max(512, size * 2), String(size));
  }
  assert.equal(new Set(lent.map(({ buffer }) => buffer)).size, lent.length);
  for (const bytes of lent) recycle(bytes);
});

test('what came back is lent again, as any view of it comes, once, and only where it fits', () => {
  for (const size of [5000, 100_000]) {
    const first = lend(size);
    recycle(new Int32Array(first.buffer, 0, 4));
    assert.equal(isLent(first), false);
    recycle(first);
    const second = lend(size - 100);
    assert.equal(second.buffer, first.buffer);
    assert.equal(second.length, first.length);
    assert.notEqual(lend(size).buffer, first.buffer);
    recycle(second);
    assert.notEqual(lend(100).buffer, size > 50_000 ? first.buffer : undefined);
  }
});

test('memory that was not lent, or has gone to another thread, is never taken', () => {
  const foreign = Buffer.alloc(5000);
  recycle(foreign);
  const gone = lend(5000);
  const moved = structuredClone(gone.buffer, { transfer: [gone.buffer as ArrayBuffer] });
  recycle(gone);
  const back = Buffer.from(moved);
  assert.equal(isLent(back), false);
  recycle(back);
  const next = [lend(5000), lend(5000)];
  for (const bytes of next) {
    assert.ok(bytes.length >= 5000);
    assert.ok(bytes.buffer !== foreign.buffer && bytes.buffer !== moved);
  }
});
