import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { avro, registered, sessionWindowed, string, type Windowed, windowed } from './schemas.ts';

function encoded(value: Windowed<string>): Buffer {
  const out = new ByteWriter();
  sessionWindowed(string()).encode(value, out);
  return out.take();
}

test('a key of a session is the key, its end and its start, as Kafka Streams writes it', () => {
  const bytes = encoded({ key: 'ab', start: 1, end: 258 });
  assert.equal(bytes.toString('hex'), '616200000000000001020000000000000001');
});

test('keys of windows of any length come back as they were', () => {
  const time = fc.maxSafeInteger();
  fc.assert(
    fc.property(fc.string(), time, time, (key, start, end) => {
      const serde = sessionWindowed(string());
      const bytes = encoded({ key, start, end });
      assert.deepEqual(serde.decode(bytes, 0, bytes.length), { key, start, end });
      assert.deepEqual(serde.read(bytes, 0, bytes.length), { key, start, end });
      assert.deepEqual({ ...serde.view()(bytes, 0, bytes.length) }, { key, start, end });
    }),
    { numRuns: 200, seed: 3 },
  );
});

test('what is no windowed key is refused', () => {
  const serde = sessionWindowed(string());
  assert.throws(
    () => serde.decode(Buffer.alloc(15), 0, 15),
    (thrown: unknown) => isFlowError(thrown, 'schema.mismatch') && /16 bytes of window/.test(thrown.message),
  );
  assert.throws(
    () => encoded({ key: 'a', start: 0.5, end: 1 }),
    (thrown: unknown) => isFlowError(thrown, 'schema.mismatch') && /start/.test(thrown.message),
  );
  assert.throws(() => serde.view()(Buffer.alloc(15), 0, 15), /16 bytes of window/);
});

test('an unlimited window has a start alone, and ends at infinity', () => {
  const serde = windowed(string(), Number.POSITIVE_INFINITY);
  assert.equal(serde.name, 'windowed(string,unlimited)');
  const out = new ByteWriter();
  const value = { key: 'a', start: 7, end: Number.POSITIVE_INFINITY };
  serde.encode(value, out);
  assert.equal(out.at, 9);
  assert.deepEqual(serde.decode(out.bytes, 0, out.at), value);
  assert.deepEqual(JSON.parse(JSON.stringify(serde.schema)), serde.schema);
});

test('keys of sessions are bound to a registered schema with the keys within them', () => {
  const format = avro({ type: 'record', name: 'Id', fields: [{ name: 'id', type: 'long' }] });
  const serde = sessionWindowed(registered(format));
  assert.equal(serde.registered?.bare, `sessionWindowed(${format.name})`);
  assert.equal(
    windowed(registered(format), Number.POSITIVE_INFINITY).registered?.bare,
    `windowed(${format.name},unlimited)`,
  );
});
