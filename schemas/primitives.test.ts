import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { bytes, double, int32, int64, type Serde, string, toPlain, windowed } from './schemas.ts';

const RUNS = { seed: 5 };

function encoded<T>(serde: Serde<T>, value: T): Buffer {
  const out = new ByteWriter(1);
  out.byte(9);
  serde.encode(value, out);
  return out.take();
}

/** Encodes between other bytes, reads by `decode` and by a view. */
function roundTrips<T>(serde: Serde<T>, value: T, format: Buffer): void {
  const arena = Buffer.concat([encoded(serde, value), Buffer.from([1, 2, 3])]);
  const end = arena.length - 3;
  assert.deepStrictEqual(arena.subarray(1, end), format);
  assert.deepStrictEqual(serde.decode(arena, 1, end), value);
  assert.deepStrictEqual(toPlain(serde.view()(arena, 1, end)), value);
}

const mismatch = (thrown: Error) => isFlowError(thrown, 'schema.mismatch');

test('strings are UTF-8', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ maxLength: 60 }),
    fc.constantFrom('', 'a', 'ab', 'abc', 'abcd', 'é', 'aé', '€', '😀'),
  );
  fc.assert(
    fc.property(texts, (text) => roundTrips(string(), text, Buffer.from(text))),
    { ...RUNS, numRuns: 500 },
  );
  assert.throws(() => encoded(string(), 5 as never), mismatch);
});

test('numbers are big-endian', () => {
  fc.assert(
    fc.property(fc.integer(), fc.maxSafeInteger(), fc.double(), (small, large, real) => {
      const [four, eight, float] = [Buffer.alloc(4), Buffer.alloc(8), Buffer.alloc(8)];
      four.writeInt32BE(small);
      eight.writeBigInt64BE(BigInt(large));
      float.writeDoubleBE(real);
      roundTrips(int32(), small, four);
      roundTrips(int64(), large, eight);
      roundTrips(double(), real, float);
    }),
    RUNS,
  );
});

test('numbers out of range and bytes of another length are refused', () => {
  const beyond = Buffer.alloc(8);
  beyond.writeBigInt64BE(2n ** 53n);
  assert.throws(() => int64().decode(beyond, 0, 8), mismatch);
  assert.throws(() => int64().view()(beyond, 0, 7), mismatch);
  assert.throws(() => encoded(int32(), 2 ** 31), mismatch);
  assert.throws(() => encoded(int32(), 0.5), mismatch);
  assert.throws(() => encoded(int64(), 2 ** 53), mismatch);
  assert.throws(() => encoded(int64(), '1' as never), mismatch);
  assert.throws(() => encoded(double(), '1' as never), mismatch);
  assert.throws(() => double().decode(beyond, 0, 4), mismatch);
});

test('numbers have a cell', () => {
  for (const serde of [int32(), int64(), double()]) {
    const cells = new Float64Array(3);
    serde.cells!.store(-7, cells, 1);
    const out = new ByteWriter();
    serde.cells!.encode(cells, 1, out);
    serde.cells!.decode(out.bytes, 0, out.at, cells, 2);
    assert.deepStrictEqual([...cells], [0, -7, -7]);
    assert.equal(serde.cells!.row()(cells, 2), -7);
  }
});

test('bytes are copied by decode', () => {
  const source = Buffer.from([1, 2, 3]);
  const copy = bytes().decode(source, 1, 3);
  source[1] = 9;
  assert.deepStrictEqual(copy, Buffer.from([2, 3]));
  roundTrips(bytes(), Buffer.from([7, 8]), Buffer.from([7, 8]));
  assert.throws(() => encoded(bytes(), 'x' as never), mismatch);
});

test('windowed keys are the key and the start of the window', () => {
  const serde = windowed(string(), 1000);
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 42 }), (key, start) => {
      const time = Buffer.alloc(8);
      time.writeBigInt64BE(BigInt(start));
      roundTrips(serde, { key, start, end: start + 1000 }, Buffer.concat([Buffer.from(key), time]));
    }),
    RUNS,
  );
  const view = serde.view();
  const one = encoded(serde, { key: 'a', start: 0, end: 1000 });
  assert.deepStrictEqual(Object.keys(view(one, 1, one.length)), ['key', 'start', 'end']);
  assert.throws(() => encoded(serde, { key: 'a', start: 0, end: 999 }), mismatch);
  assert.throws(() => view(one, 1, 5), mismatch);
  assert.throws(
    () => windowed(string(), 0),
    (thrown: Error) => isFlowError(thrown, 'schema.invalid'),
  );
});

test('toPlain copies deeply', () => {
  const value = { a: [{ b: Buffer.from([1]) }], c: null, d: 'x' };
  const copy = toPlain(value);
  assert.deepStrictEqual(copy, value);
  value.a[0]!.b[0] = 2;
  assert.equal(copy.a[0]!.b[0], 1);
  const hostile = toPlain(JSON.parse('{"__proto__":{"polluted":true}}') as { polluted?: boolean });
  assert.equal(hostile.polluted, undefined);
});
