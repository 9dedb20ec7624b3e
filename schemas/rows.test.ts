import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import {
  addTop,
  buffered,
  compareTop,
  DistinctCount,
  distinctRow,
  identified,
  int64,
  meanRow,
  precisionFor,
  Quantiles,
  quantileRow,
  type Serde,
  string,
  type TopItem,
  timed,
  toPlain,
  topRow,
} from './schemas.ts';

/** Encodes at an odd place, decodes in every way, and answers the bytes. */
function there<T>(serde: Serde<T>, value: T, plain: (value: T) => unknown = toPlain): Buffer {
  const out = new ByteWriter(4);
  out.byte(7);
  serde.encode(value, out);
  const bytes = out.take();
  const view = serde.view();
  for (const read of [serde.decode, serde.read, view]) {
    assert.deepEqual(plain(read.call(serde, bytes, 1, bytes.length)), plain(value));
  }
  const again = new ByteWriter();
  serde.encode(view(bytes, 1, bytes.length), again);
  assert.deepEqual(again.take(), bytes.subarray(1));
  return bytes.subarray(1);
}

function broken(serde: Serde<unknown>, bytes: Buffer): void {
  assert.throws(
    () => toPlain(serde.read(bytes, 0, bytes.length)),
    (thrown) => isFlowError(thrown, 'schema.mismatch'),
  );
}

test('keys in time go there and back, in order of time and then of key', () => {
  const serde = timed(string());
  const times = [0, 1, 255, 256, 2 ** 32, 2 ** 52];
  const all = times.flatMap((time) => ['', 'a', 'ab', 'b'].map((key) => there(serde, { time, key })));
  assert.deepEqual(all.toSorted(Buffer.compare), all);
  assert.throws(() => serde.encode({ time: -1, key: 'a' }, new ByteWriter()), /whole number from 0 on/);
  broken(serde, Buffer.alloc(4));
});

test('keys with ids go there and back, and none is another', () => {
  const serde = identified(string());
  const pairs = ['', 'a', 'ab', 'é'].flatMap((key) => ['', 'b', 'ab'].map((id) => ({ key, id })));
  const encoded = new Set(pairs.map((pair) => there(serde, pair).toString('hex')));
  assert.equal(encoded.size, pairs.length);
  broken(serde, Buffer.from([0, 0, 0, 9, 1]));
});

test('updates that wait go there and back', () => {
  const serde = buffered(int64());
  for (const value of [null, 5]) {
    for (const prior of [undefined, null, 300]) there(serde, { time: 12, value, prior });
  }
  broken(serde, Buffer.alloc(5));
});

test('means go there and back, as a row of cells too', () => {
  const serde = meanRow();
  const mean = { count: 3, sum: 7.5, mean: 2.5 };
  const bytes = there(serde, mean);
  const cells = new Float64Array(5);
  serde.cells!.store(mean, cells, 1);
  const row = serde.cells!.row()(cells, 1);
  row.count++;
  row.sum += 0.5;
  assert.deepEqual({ ...row }, { count: 4, sum: 8, mean: 2 });
  const out = new ByteWriter();
  serde.cells!.encode(cells, 1, out);
  serde.cells!.decode(out.bytes, 0, out.at, cells, 3);
  assert.deepEqual([...cells], [0, 4, 8, 4, 8]);
  broken(serde, bytes.subarray(1));
});

test('sketches go there and back, and are refused in another form', () => {
  const count = DistinctCount.empty(8);
  const quantiles = new Quantiles(0.02);
  for (let i = 0; i < 300; i++) {
    const bytes = there(distinctRow(8), count, (each) => each.bytes);
    assert.throws(() => distinctRow(9).read(bytes, 0, bytes.length), /registers/);
    there(quantileRow(0.02), quantiles, (each) => ({ ...each, at: each.at(0.5) }));
    count.add(i);
    quantiles.add((i - 100) ** 3);
  }
  assert.throws(() => distinctRow(9).encode(count, new ByteWriter()), /precision 9/);
  assert.throws(() => quantileRow(0.5).encode(quantiles, new ByteWriter()), /the error 0.5/);
  assert.throws(() => distinctRow(17), /4 to 16/);
  assert.throws(() => quantileRow(0), /0.0001 to 0.5/);
  broken(quantileRow(0.02), Buffer.alloc(30));
  broken(distinctRow(8), Buffer.alloc(1));
});

test('sketches print as what they say', () => {
  const count = DistinctCount.empty(8);
  const quantiles = new Quantiles(0.01);
  for (const n of [1, 1, 1, 2]) {
    count.add(n);
    quantiles.add(n);
  }
  assert.equal(JSON.stringify(count), '{"estimate":2}');
  const { p50, ...rest } = JSON.parse(JSON.stringify(quantiles)) as Record<string, number>;
  assert.ok(Math.abs(p50! - 1) < 0.01);
  assert.deepEqual(Object.keys(rest), ['count', 'min', 'max', 'p90', 'p99']);
});

test('the precision for an error has that error or a smaller one', () => {
  assert.equal(precisionFor(0.01625), 12);
  assert.equal(precisionFor(0.5), 4);
  for (const error of [0.0041, 0.01, 0.02, 0.1, 0.2]) assert.ok(1.04 / Math.sqrt(2 ** precisionFor(error)) <= error);
  assert.throws(() => precisionFor(0.001), /give one of 0.0041 or more/);
});

test('the largest items are those of a sorted list', () => {
  const items = fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'é', '😀'), score: fc.nat(20) }));
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 4 }), (added, most) => {
      const top: TopItem[] = [];
      for (const { id, score } of added) addTop(top, id, score, most);
      const best = new Map<string, number>();
      for (const { id, score } of added) best.set(id, Math.max(score, best.get(id) ?? score));
      const all = [...best].map(([id, score]) => ({ id, score })).sort(compareTop);
      assert.deepEqual(top, all.slice(0, most));
      there(topRow(), top);
    }),
    { numRuns: 300, seed: 1 },
  );
  broken(topRow(), Buffer.from([1, 0]));
});
