import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../core/bytes.ts';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { parseSchema } from '../avro/parse.ts';
import { avro } from '../avro.ts';
import type { AvroSchema } from '../avro-types.ts';
import { string } from '../primitives.ts';
import { type Serde, toPlain, windowed } from '../schemas.ts';
import { KnownSchemas } from './known-schemas.ts';
import { localRegistry } from './local.ts';
import { reframe } from './reframe.ts';
import { registered } from './registered.ts';

const V1 = {
  type: 'record',
  name: 'shop.Order',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'gone', type: 'string' },
  ],
} as const;
const V2 = {
  type: 'record',
  name: 'shop.Order',
  fields: [
    { name: 'note', type: 'string', default: '-' },
    { name: 'id', type: 'long' },
  ],
} as const;

function known(schemas: { readonly [id: number]: AvroSchema }): KnownSchemas {
  const known = new KnownSchemas({ registry: localRegistry(), clock: systemClock });
  for (const [id, schema] of Object.entries(schemas)) known.learn(Number(id), parseSchema(schema));
  return known;
}

function bytesOf<T>(serde: Serde<T>, value: T): Buffer {
  const out = new ByteWriter();
  serde.encode(value, out);
  return Buffer.concat([Buffer.alloc(3, 9), out.take(), Buffer.alloc(7, 9)]);
}

const WAYS = ['decode', 'read', 'view'] as const;

function readBy<T>(serde: Serde<T>, way: (typeof WAYS)[number], bytes: Buffer): T {
  const read = way === 'view' ? serde.view() : serde[way];
  return toPlain(read(bytes, 3, bytes.length - 7));
}

test('values of its own id, of a version before, and of one that differs in words alone', () => {
  const serde = registered(avro(V2)).registered!.bind(8, known({ 5: V1, 6: { ...V2, doc: 'the same' } as AvroSchema }));
  const own = bytesOf(serde, { note: 'n', id: 2 ** 40 });
  assert.deepEqual([...own.subarray(3, 8)], [0, 0, 0, 0, 8]);
  const before = bytesOf(avro(V1, { id: 5 }), { id: 7, gone: 'x' });
  const alike = bytesOf(avro(V2, { id: 6 }), { note: 'other', id: 1 });
  for (const way of WAYS) {
    assert.deepEqual(readBy(serde, way, own), { note: 'n', id: 2 ** 40 }, way);
    assert.deepEqual(readBy(serde, way, before), { note: '-', id: 7 }, way);
    assert.deepEqual(readBy(serde, way, alike), { note: 'other', id: 1 }, way);
  }
  const view = serde.view();
  assert.equal(view(alike, 3, alike.length - 7), view(alike, 3, alike.length - 7));
});

test('an id that is not known is asked for, one that cannot be read is a mismatch', () => {
  const schemas = known({ 5: { ...V1, fields: [{ name: 'id', type: 'string' }] } as AvroSchema });
  const serde = registered(avro(V2)).registered!.bind(8, schemas);
  const unknown = bytesOf(avro(V1, { id: 77 }), { id: 1, gone: '' });
  assert.throws(() => readBy(serde, 'view', unknown), /schema id 77 was not fetched/);
  assert.ok(schemas.wanting && schemas.asked === 1);
  const unreadable = bytesOf(avro('string', { id: 5 }), 'x');
  const why =
    /expected a schema that can be read as this one, found schema id 5: shop\.Order\.id is long where string was written/;
  assert.throws(() => readBy(serde, 'read', unreadable), why);
  assert.throws(
    () => serde.read(Buffer.from([1, 2, 3]), 0, 3),
    /the 5 bytes of a schema registry header, found 3 bytes/,
  );
  assert.throws(() => serde.read(Buffer.from([1, 0, 0, 0, 8, 0]), 0, 6), /whose first byte is 0, found the byte 1/);
});

test('rows of numbers take values of other versions', () => {
  const old = { type: 'record', name: 'Sum', fields: [{ name: 'n', type: 'int' }] } as const;
  const now = {
    ...old,
    fields: [
      { name: 'total', type: 'double', default: 1.5 },
      { name: 'n', type: 'long' },
    ],
  } as const;
  const serde = registered(avro(now)).registered!.bind(2, known({ 1: old }));
  const cells = new Float64Array(4);
  const bytes = bytesOf(avro(old, { id: 1 }), { n: 3 });
  serde.cells!.decode(bytes, 3, bytes.length - 7, cells, 1);
  assert.deepEqual([...cells], [0, 1.5, 3, 0]);
  const out = new ByteWriter();
  serde.cells!.encode(cells, 1, out);
  assert.deepEqual(serde.read(out.bytes, 0, out.at), { total: 1.5, n: 3 });
  serde.cells!.decode(out.bytes, 0, out.at, cells, 0);
  assert.deepEqual([...cells], [1.5, 3, 3, 0]);
});

test('subjects, names and what stands for an id that there is none of', () => {
  const subjectOf = (serde: Serde<unknown>) => serde.registered!.subject('orders', 'value');
  const order = () => avro(V2) as Serde<unknown>;
  assert.equal(subjectOf(registered(order())), 'orders-value');
  assert.equal(subjectOf(registered(order(), { subject: 'record-name' })), 'shop.Order');
  assert.equal(subjectOf(registered(order(), { subject: 'topic-record-name' })), 'orders-shop.Order');
  assert.match(registered(order()).name, /^registered\(avro:shop\.Order#[0-9a-f]{8}\)$/);
  assert.match(registered(order(), { subject: 'record-name', register: false }).name, /,record-name,look-up\)$/);
  const without = registered(order()).registered!.bind(-1, known({}));
  assert.throws(
    () => bytesOf(without, { note: '', id: 1 }),
    (thrown) => isFlowError(thrown, 'registry.unbound'),
  );
});

test('what is used unbound, and what cannot be registered, says so', () => {
  const serde = registered(avro(V2));
  for (const use of [
    () => serde.view(),
    () => bytesOf(serde, { note: '', id: 1 }),
    () => serde.read(Buffer.alloc(9), 0, 9),
  ]) {
    assert.throws(use, (thrown) => isFlowError(thrown, 'registry.unbound'));
  }
  assert.throws(() => registered(string()), /string is no Avro schema that can be registered/);
  assert.throws(() => registered(avro(V2, { id: 3 })), /without an id/);
  assert.throws(() => registered(avro('string'), { subject: 'record-name' }), /needs a record, which has a name/);
});

test('between bare values and those with a header only the header is changed', () => {
  const bare = avro(V2) as Serde<unknown>;
  const serde = registered(bare).registered!.bind(8, known({ 5: V1 }));
  const out = new ByteWriter();
  const body = bytesOf(bare, { note: 'n', id: 1 });
  const framed = bytesOf(serde, { note: 'n', id: 1 });
  assert.ok(reframe(bare, serde, body, 3, body.length - 7, out));
  assert.deepEqual(out.take(), framed.subarray(3, framed.length - 7));
  out.clear();
  assert.ok(reframe(serde, bare, framed, 3, framed.length - 7, out));
  assert.deepEqual(out.take(), body.subarray(3, body.length - 7));
  const before = bytesOf(avro(V1, { id: 5 }), { id: 7, gone: 'x' });
  assert.ok(!reframe(serde, bare, before, 3, before.length - 7, out));
  assert.ok(!reframe(serde, string() as Serde<unknown>, framed, 3, framed.length - 7, out));
  assert.ok(!reframe(string() as Serde<unknown>, serde, framed, 3, framed.length - 7, out));
});

test('windowed keys are bound with the keys within them', () => {
  const serde = windowed(registered(avro(V2)), 1000);
  const bound = serde.registered!.bind(8, known({ 5: V1 }));
  const key = { key: { note: 'n', id: 1 }, start: 2000, end: 3000 };
  const bytes = bytesOf(bound, key);
  assert.deepEqual(readBy(bound, 'view', bytes), key);
  assert.equal(bound.name, serde.name);
});
