import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32cNative, crc32cPlain } from './crc32c.ts';

const all = [crc32cPlain, ...(crc32cNative === undefined ? [] : [crc32cNative])];

test('known checksums (RFC 3720, B.4)', () => {
  for (const crc32c of all) {
    assert.equal(crc32c(Buffer.alloc(32), 0, 32), 0x8a9136aa);
    assert.equal(crc32c(Buffer.alloc(32, 0xff), 0, 32), 0x62a8ab43);
    assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0, 32), 0x46dd794e);
    assert.equal(crc32c(Buffer.from('..123456789.'), 2, 11), 0xe3069283);
    assert.equal(crc32c(Buffer.alloc(0), 0, 0), 0);
  }
});

test('every function at hand agrees with ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (array, start) => {
      const bytes = Buffer.from(array);
      const from = Math.min(start, bytes.length);
      const expected = crc32cPlain(bytes, from, bytes.length);
      for (const crc32c of all) assert.equal(crc32c(bytes, from, bytes.length), expected);
    }),
  );
});
