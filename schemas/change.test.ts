import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { avro, type Change, change, int64, type Serde, string, toPlain } from './schemas.ts';

const row = avro({ type: 'record', name: 'Row', fields: [{ name: 'n', type: 'long' }] } as const);
const mismatch = (thrown: Error) => isFlowError(thrown, 'schema.mismatch');

function encoded<T>(serde: Serde<T>, value: T): Buffer {
  const out = new ByteWriter(1);
  serde.encode(value, out);
  return out.take();
}

function roundTrips<V>(serde: Serde<Change<V>>, value: Change<V>): void {
  const arena = Buffer.concat([Buffer.from([7]), encoded(serde, value), Buffer.from([1, 2])]);
  const end = arena.length - 2;
  assert.deepEqual(serde.decode(arena, 1, end), value);
  assert.deepEqual(serde.read(arena, 1, end), value);
  const view = serde.view();
  assert.deepEqual(toPlain(view(arena, 1, end)), value);
  assert.deepEqual(encoded(serde, view(arena, 1, end)), encoded(serde, value));
}

test('changes with an old value, a new one, or both', () => {
  const side = <V>(arbitrary: fc.Arbitrary<V>) => fc.option(arbitrary, { nil: null });
  const pairs = <V>(arbitrary: fc.Arbitrary<V>) =>
    fc
      .record({ oldValue: side(arbitrary), newValue: side(arbitrary) }, { noNullPrototype: true })
      .filter((pair) => pair.oldValue !== null || pair.newValue !== null);
  fc.assert(
    fc.property(pairs(fc.string()), pairs(fc.maxSafeInteger()), (texts, numbers) => {
      roundTrips(change(string()), texts);
      roundTrips(change(int64()), numbers);
      const rows = {
        oldValue: numbers.oldValue === null ? null : { n: numbers.oldValue },
        newValue: numbers.newValue === null ? null : { n: numbers.newValue },
      };
      roundTrips(change(row), rows);
    }),
    { seed: 6 },
  );
});

test('both values of a view are there at once', () => {
  const serde = change(row);
  const bytes = encoded(serde, { oldValue: { n: 1 }, newValue: { n: 2 } });
  const { oldValue, newValue } = serde.view()(bytes, 0, bytes.length);
  assert.deepEqual([oldValue?.n, newValue?.n], [1, 2]);
});

test('version 1 of the format', () => {
  const serde = change(string());
  assert.deepEqual(encoded(serde, { oldValue: null, newValue: 'a' }), Buffer.from('\x11a'));
  assert.deepEqual(encoded(serde, { oldValue: 'b', newValue: null }), Buffer.from('\x12b'));
  assert.deepEqual(encoded(serde, { oldValue: 'b', newValue: 'a' }), Buffer.from('\x13\0\0\0\x01ab'));
  assert.equal(serde.name, 'change(string)');
});

test('what is no change is refused', () => {
  const serde = change(string());
  for (const text of ['', 'a', '\x10', '\x21a', '\x13\0\0', '\x13\0\0\0\x09a']) {
    const bytes = Buffer.from(text);
    assert.throws(() => serde.decode(bytes, 0, bytes.length), mismatch, JSON.stringify(text));
    assert.throws(() => serde.view()(bytes, 0, bytes.length), mismatch, JSON.stringify(text));
  }
  assert.throws(() => encoded(serde, { oldValue: null, newValue: null }), mismatch);
  assert.throws(() => encoded(serde, 'a' as never), mismatch);
});
