import assert from 'node:assert/strict';
import { test } from 'node:test';
import avsc from 'avsc';
import fc from 'fast-check';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { avro, type Serde, toPlain } from './schemas.ts';

const reading = avro({
  type: 'record',
  name: 'Reading',
  fields: [
    { name: 'count', type: 'int' },
    { name: 'time', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'ok', type: 'boolean' },
    { name: 'low', type: 'float' },
    { name: 'high', type: 'double' },
  ],
});

function refuses(run: () => unknown, code: 'schema.mismatch' | 'schema.invalid', ...parts: string[]): void {
  assert.throws(run, (thrown: Error) => {
    assert.ok(isFlowError(thrown, code), String(thrown));
    for (const part of parts) assert.ok(thrown.message.includes(part), `${part} in: ${thrown.message}`);
    assert.ok(thrown.message.length < 400, thrown.message);
    return true;
  });
}

function encoded<T>(serde: Serde<T>, value: T): Buffer {
  const out = new ByteWriter(8);
  serde.encode(value, out);
  return out.take();
}

test('views and encode do not need avsc', () => {
  const serde = avro({
    type: 'record',
    name: 'Mixed',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'note', type: ['null', 'string'] },
      { name: 'tags', type: { type: 'array', items: 'string' } },
    ],
  });
  const value = { id: 5, note: 'x', tags: ['a', 'é'] };
  const names = ['_read', '_write', '_skip', 'decode', 'encode', 'fromBuffer', 'toBuffer'];
  const broken: [object, string, PropertyDescriptor][] = [];
  for (const type of [avsc.Type, ...Object.values(avsc.types)]) {
    for (const name of names) {
      const own = Object.getOwnPropertyDescriptor(type.prototype, name);
      if (own === undefined) continue;
      broken.push([type.prototype, name, own]);
      Object.defineProperty(type.prototype, name, {
        configurable: true,
        value: () => {
          throw new Error('avsc on the record path');
        },
      });
    }
  }
  try {
    const bytes = encoded(serde, value);
    assert.deepStrictEqual(toPlain(serde.view()(bytes, 0, bytes.length)), value);
    assert.deepStrictEqual(serde.read(bytes, 0, bytes.length), value);
    assert.throws(() => serde.decode(bytes, 0, bytes.length), /avsc on the record path|schema/);
    const cells = new Float64Array(5);
    const row = encoded(reading, { count: 1, time: 2, ok: true, low: 0.5, high: 0.1 });
    reading.cells!.decode(row, 0, row.length, cells, 0);
    reading.cells!.encode(cells, 0, new ByteWriter());
  } finally {
    for (const [prototype, name, own] of broken) Object.defineProperty(prototype, name, own);
  }
  assert.ok(broken.length > 10);
});

test('a view is one object with own enumerable fields that cannot be written', () => {
  const first = encoded(reading, { count: 1, time: 2 ** 52 + 1, ok: true, low: 0.5, high: 0.1 });
  const second = encoded(reading, { count: -1, time: -(2 ** 52) - 1, ok: false, low: -0.5, high: Number.NaN });
  const view = reading.view();
  const flyweight = view(first, 0, first.length);
  assert.equal(view(second, 0, second.length), flyweight);
  assert.deepStrictEqual({ ...flyweight }, { count: -1, time: -(2 ** 52) - 1, ok: false, low: -0.5, high: Number.NaN });
  view(first, 0, first.length);
  assert.deepStrictEqual({ ...flyweight }, reading.decode(first, 0, first.length));
  assert.equal(JSON.stringify(flyweight), '{"count":1,"time":4503599627370497,"ok":true,"low":0.5,"high":0.1}');
  assert.throws(() => {
    (flyweight as { count: number }).count = 3;
  }, TypeError);
  assert.notEqual(reading.view()(first, 0, first.length), flyweight);
});

test('a nested record of a view is a plain value that outlives the call', () => {
  const serde = avro({
    type: 'record',
    name: 'Outer',
    fields: [{ name: 'inner', type: { type: 'record', name: 'Inner', fields: [{ name: 'a', type: 'long' }] } }],
  });
  const one = encoded(serde, { inner: { a: 1 } });
  const two = encoded(serde, { inner: { a: 2 } });
  const view = serde.view();
  const kept = { ...view(one, 0, one.length) };
  view(two, 0, two.length);
  assert.deepStrictEqual(kept, { inner: { a: 1 } });
});

test('rows of cells hold what records hold, and are updated in place', () => {
  const cells = reading.cells!;
  assert.equal(cells.width, 5);
  const value = fc.record(
    {
      count: fc.integer(),
      time: fc.maxSafeInteger().map((n) => n + 0),
      ok: fc.boolean(),
      low: fc.float().filter((n) => !Object.is(n, -0)),
      high: fc.double(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(value, (value) => {
      const store = new Float64Array(15);
      cells.store(value, store, 5);
      const row = cells.row();
      assert.deepStrictEqual({ ...row(store, 5) }, value);
      const out = new ByteWriter(1);
      cells.encode(store, 5, out);
      assert.deepStrictEqual(out.take(), encoded(reading, value));
      assert.deepStrictEqual(encoded(reading, row(store, 5)), encoded(reading, value));
      cells.decode(out.bytes, 0, out.at, store, 10);
      assert.deepStrictEqual({ ...row(store, 10) }, value);
      assert.deepStrictEqual([...store.subarray(0, 5)], [0, 0, 0, 0, 0]);
    }),
    { seed: 11 },
  );
  const store = new Float64Array(5);
  const row = cells.row()(store, 0) as { -readonly [Name in keyof ReturnType<typeof reading.decode>]: unknown };
  row.count = 41;
  (row as { count: number }).count += 1;
  row.low = 0.1;
  row.ok = true;
  assert.deepStrictEqual([...store], [42, 0, 1, Math.fround(0.1), 0]);
  refuses(
    () => {
      row.count = 1.5;
    },
    'schema.mismatch',
    'Reading.count',
    '1.5',
  );
  refuses(
    () => {
      row.ok = 1;
    },
    'schema.mismatch',
    'Reading.ok',
  );
  assert.equal(avro({ type: 'record', name: 'T', fields: [{ name: 'a', type: 'string' }] }).cells, undefined);
});

test('bare numbers have a cell', () => {
  const cells = avro('long').cells!;
  const store = new Float64Array(2);
  cells.store(7, store, 1);
  const out = new ByteWriter();
  cells.encode(store, 1, out);
  cells.decode(out.bytes, 0, out.at, store, 0);
  assert.equal(cells.row()(store, 0), 7);
});

test('the registry header is written and checked', () => {
  const serde = avro({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'long' }] }, { id: 0x01020304 });
  const bytes = encoded(serde, { a: 3 });
  assert.equal(bytes.toString('hex'), '000102030406');
  assert.equal(serde.view()(bytes, 0, 6).a, 3);
  assert.deepStrictEqual(serde.decode(bytes, 0, 6), { a: 3 });
  const view = serde.view();
  refuses(() => view(Buffer.from('000102030506', 'hex'), 0, 6), 'schema.mismatch', 'schema id 16909060', '16909061');
  refuses(() => serde.decode(Buffer.from('060102030406', 'hex'), 0, 6), 'schema.mismatch', 'first byte');
  refuses(() => view(bytes, 0, 4), 'schema.mismatch', '4 bytes');
  const sums = avro({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'long' }] }, { id: 1 }).cells!;
  const out = new ByteWriter();
  sums.encode(new Float64Array([9]), 0, out);
  assert.equal(out.take().toString('hex'), '000000000112');
});

test('what does not fit is named with its field, and leaves nothing behind', () => {
  const serde: Serde<unknown> = avro({
    type: 'record',
    name: 'Flight',
    fields: [
      { name: 'origin', type: 'string' },
      { name: 'delay', type: 'int' },
      { name: 'state', type: { type: 'enum', name: 'State', symbols: ['ON', 'OFF'] } },
      { name: 'gates', type: { type: 'array', items: ['null', 'long'] } },
    ],
  }) as Serde<unknown>;
  const good = { origin: 'SFO', delay: 1, state: 'ON', gates: [] };
  const out = new ByteWriter();
  out.byte(1);
  refuses(
    () => serde.encode({ ...good, delay: 'x'.repeat(500) }, out),
    'schema.mismatch',
    'Flight.delay',
    'the string "xxx',
  );
  assert.equal(out.at, 1);
  refuses(() => serde.encode({ ...good, delay: 2 ** 31 }, out), 'schema.mismatch', 'Flight.delay', '32 bits');
  refuses(() => serde.encode({ ...good, state: 'UP' }, out), 'schema.mismatch', 'Flight.state', '"UP"');
  refuses(() => serde.encode({ ...good, gates: [2 ** 60] }, out), 'schema.mismatch', 'Flight.gates[]');
  refuses(() => serde.encode({ ...good, origin: undefined }, out), 'schema.mismatch', 'Flight.origin', 'undefined');
  refuses(() => serde.encode(null, out), 'schema.mismatch', 'Flight', 'null');
  assert.equal(out.at, 1);
  serde.encode(good, out);
  assert.deepStrictEqual(serde.decode(out.bytes, 1, out.at), good);
});

test('a long beyond 2^53 is a mismatch in every way of reading', () => {
  const serde = avro({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'long' }] });
  for (const [value, fits] of [
    [2n ** 53n - 1n, true],
    [-(2n ** 53n) + 1n, true],
    [2n ** 53n, false],
    [-(2n ** 53n), false],
    [2n ** 63n - 1n, false],
  ] as const) {
    const bytes = zigzag(value);
    const ways = [() => serde.decode(bytes, 0, bytes.length).a, () => serde.view()(bytes, 0, bytes.length).a];
    for (const way of ways) {
      if (fits) assert.equal(way(), Number(value));
      else refuses(way, 'schema.mismatch', 'R.a', '2^53');
    }
  }
});

function zigzag(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

test('defaults stand in for missing fields, null for missing nullable ones', () => {
  const serde = avro({
    type: 'record',
    name: 'D',
    fields: [
      { name: 'a', type: 'long', default: 7 },
      { name: 'b', type: 'bytes', default: 'ÿ' },
      { name: 'c', type: ['null', 'string'] },
      { name: 'd', type: { type: 'record', name: 'E', fields: [{ name: 'x', type: 'int', default: 1 }] }, default: {} },
    ],
  }) as Serde<unknown>;
  const bytes = encoded(serde, {});
  assert.deepStrictEqual(serde.decode(bytes, 0, bytes.length), { a: 7, b: Buffer.from([255]), c: null, d: { x: 1 } });
});

test('unions take the branch that fits, records by their fields', () => {
  const circle = {
    type: 'record',
    name: 'Circle',
    fields: [
      { name: 'kind', type: { type: 'enum', name: 'C', symbols: ['circle'] } },
      { name: 'r', type: 'double' },
    ],
  } as const;
  const square = {
    type: 'record',
    name: 'Square',
    fields: [
      { name: 'kind', type: { type: 'enum', name: 'S', symbols: ['square'] } },
      { name: 'r', type: 'double' },
    ],
  } as const;
  const serde = avro({
    type: 'array',
    items: ['null', 'float', 'long', 'double', 'string', circle, square, { type: 'map', values: 'int' }],
  });
  const value = [
    null,
    0.5,
    0.1,
    2 ** 40 + 1,
    'x',
    { kind: 'square', r: 2 },
    { kind: 'circle', r: 2 },
    { a: 1 },
    {},
  ] as ReturnType<typeof serde.decode>;
  const bytes = encoded(serde, value);
  assert.deepStrictEqual(serde.decode(bytes, 0, bytes.length), value);
  assert.deepStrictEqual(serde.view()(bytes, 0, bytes.length), value);
});

test('recursive records nest within a bound', () => {
  const node = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] } as const;
  const serde = avro(node);
  type Node = ReturnType<typeof serde.decode>;
  let chain: Node = { next: null };
  for (let i = 0; i < 150; i++) chain = { next: chain };
  const bytes = encoded(serde, chain);
  assert.deepStrictEqual(serde.decode(bytes, 0, bytes.length), chain);
  const loop: { next: Node | null } = { next: null };
  loop.next = loop as Node;
  refuses(() => encoded(serde, loop as Node), 'schema.mismatch', 'Node');
  const deep = Buffer.concat([Buffer.alloc(1_000_000, 2), Buffer.alloc(1)]);
  refuses(() => serde.decode(deep, 0, deep.length), 'schema.mismatch', 'Node');
  refuses(() => serde.view()(deep, 0, deep.length).next, 'schema.mismatch', 'Node');
});

test('counts that the bytes cannot hold are refused before anything is made', () => {
  const nulls = avro({ type: 'array', items: 'null' });
  const huge = Buffer.concat([zigzag(2n ** 50n), Buffer.alloc(1)]);
  refuses(() => nulls.decode(huge, 0, huge.length), 'schema.mismatch', 'count');
  const longs = avro({
    type: 'record',
    name: 'L',
    fields: [
      { name: 'a', type: { type: 'array', items: 'long' } },
      { name: 'b', type: 'long' },
    ],
  });
  refuses(() => longs.view()(huge, 0, huge.length).b, 'schema.mismatch', 'L.a');
});

test('a map key that would set a prototype is refused', () => {
  const serde = avro({ type: 'map', values: 'int' });
  const bytes = Buffer.concat([Buffer.from([2, 18]), Buffer.from('__proto__'), Buffer.from([2, 0])]);
  refuses(() => serde.decode(bytes, 0, bytes.length), 'schema.mismatch', '__proto__');
  refuses(() => encoded(serde, JSON.parse('{"__proto__":1}')), 'schema.mismatch', '__proto__');
});

test('blocks with their size in bytes are read and passed over', () => {
  const serde = avro({
    type: 'record',
    name: 'B',
    fields: [
      { name: 'a', type: { type: 'array', items: 'long' } },
      { name: 'b', type: 'long' },
    ],
  });
  const bytes = Buffer.from([3, 4, 2, 4, 2, 6, 0, 10]); // -2 items in 2 bytes: 1, 2; then one: 3; end; b = 5
  assert.deepStrictEqual(serde.decode(bytes, 0, bytes.length), { a: [1, 2, 3], b: 5 });
  assert.equal(serde.view()(bytes, 0, bytes.length).b, 5);
});
