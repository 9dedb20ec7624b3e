import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c, crc32cNative, crc32cPlain, crc32cReplaced } from './crc32c.ts';

const all = [crc32c, crc32cPlain, ...(crc32cNative === undefined ? [] : [crc32cNative])];

test('known checksums (RFC 3720, B.4)', () => {
  for (const sum of all) {
    assert.equal(sum(Buffer.alloc(32), 0, 32), 0x8a9136aa);
    assert.equal(sum(Buffer.alloc(32, 0xff), 0, 32), 0x62a8ab43);
    assert.equal(sum(Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0, 32), 0x46dd794e);
    assert.equal(sum(Buffer.from('..123456789.'), 2, 11), 0xe3069283);
    assert.equal(sum(Buffer.alloc(0), 0, 0), 0);
  }
});

test('every function at hand agrees with ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1200 }), fc.nat(20), (array, start) => {
      const bytes = Buffer.from(array);
      const from = Math.min(start, bytes.length);
      const expected = crc32cPlain(bytes, from, bytes.length);
      for (const sum of all) assert.equal(sum(bytes, from, bytes.length), expected);
    }),
  );
});

test('a checksum after its beginning was replaced is that of the new bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ minLength: 60, maxLength: 60 }),
      fc.uint8Array({ maxLength: 12000 }),
      (old, other, rest) => {
        const head = old.length;
        const before = Buffer.concat([old, rest]);
        const after = Buffer.concat([other.subarray(0, head), rest]);
        const [whole, oldHead, newHead] = [
          crc32cPlain(before, 0, before.length),
          crc32cPlain(before, 0, head),
          crc32cPlain(after, 0, head),
        ];
        const replaced = crc32cReplaced(whole, oldHead, newHead, rest.length);
        assert.equal(replaced, crc32cPlain(after, 0, after.length));
        if (head > 0) assert.notEqual(crc32cReplaced(whole ^ 1, oldHead, newHead, rest.length), replaced);
      },
    ),
  );
});

test('replacing reaches over many bytes', () => {
  const bytes = Buffer.alloc((1 << 20) + 77, 3);
  const crc = crc32cPlain(bytes, 0, bytes.length);
  const before = crc32cPlain(bytes, 0, 40);
  bytes[39] = 200;
  const replaced = crc32cReplaced(crc, before, crc32cPlain(bytes, 0, 40), bytes.length - 40);
  assert.equal(replaced, crc32cPlain(bytes, 0, bytes.length));
});
