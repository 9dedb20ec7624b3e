import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, ByteWriter } from '../../core/bytes.ts';
import { isFlowError } from '../../core/errors.ts';
import { avro } from '../avro.ts';
import type { AvroSchema } from '../avro-types.ts';
import { type Serde, toPlain } from '../schemas.ts';
import type { AvroType } from './model.ts';
import { parseSchema } from './parse.ts';
import { referenceType } from './reference.ts';

/** Generated code against avsc, on random schemas and values. */
const RUNS = { seed: 20240611, numRuns: 300 };

const SYMBOLS = ['RED', 'GREEN', 'BLUE'];
const primitive = fc.constantFrom('null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string');

/** Schemas with names left to be given, since each name may be defined once. */
const shapes = fc.letrec<{ type: unknown; record: unknown }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    primitive,
    fc.constant({ type: 'long', logicalType: 'timestamp-millis' }),
    fc.constant({ type: 'enum', symbols: SYMBOLS }),
    fc.integer({ min: 1, max: 80 }).map((size) => ({ type: 'fixed', size })),
    tie('type').map((items) => ({ type: 'array', items })),
    tie('type').map((values) => ({ type: 'map', values })),
    fc.array(tie('type'), { minLength: 1, maxLength: 4 }),
    tie('record'),
  ),
  record: fc.array(tie('type'), { maxLength: 6 }).map((types) => ({ type: 'record', types })),
}));

/** Gives names, and takes from unions what Avro does not allow in them. */
function named(shape: unknown, counter = { next: 0 }): AvroSchema {
  if (typeof shape === 'string') return shape;
  if (Array.isArray(shape)) {
    const branches = shape.filter((each) => !Array.isArray(each)).map((each) => named(each, counter));
    const kinds = new Map(branches.map((each) => [kindOf(each), each]));
    return kinds.size === 0 ? ['null', 'int'] : [...kinds.values()];
  }
  const dict = shape as { type: string; [name: string]: unknown };
  const name = `T${counter.next++}`;
  if (dict.type === 'array') return { type: 'array', items: named(dict['items'], counter) };
  if (dict.type === 'map') return { type: 'map', values: named(dict['values'], counter) };
  if (dict.type !== 'record') return (dict.type === 'long' ? dict : { ...dict, name }) as unknown as AvroSchema;
  const fields = (dict['types'] as unknown[]).map((type, i) => ({ name: `f${i}`, type: named(type, counter) }));
  return { type: 'record', name, fields } as AvroSchema;
}

function kindOf(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema;
  return 'name' in schema ? schema.name : (schema as { type: string }).type;
}

const schemas = shapes.record.map((shape) => named(shape));

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ minLength: 20, maxLength: 90 }),
);
const whole = fc.oneof(fc.integer({ min: -70, max: 70 }), fc.maxSafeInteger()).map((value) => value + 0);
const notMinusZero = (value: number) => (value === 0 ? 0 : value);

/** Values in avsc's form, where the branch of a union is named. */
function values(type: AvroType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'int':
      return fc.oneof(fc.integer({ min: -70, max: 70 }), fc.integer());
    case 'long':
      return whole;
    case 'float':
      return fc.float().map(notMinusZero);
    case 'double':
      return fc.double().map(notMinusZero);
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 }).map((each) => Buffer.from(each));
    case 'fixed':
      return fc.uint8Array({ minLength: type.size, maxLength: type.size }).map((each) => Buffer.from(each));
    case 'string':
      return text;
    case 'enum':
      return fc.constantFrom(...type.symbols);
    case 'array':
      return fc.array(values(type.items), { maxLength: 4 });
    case 'map':
      return fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        values(type.values),
        { maxKeys: 4, noNullPrototype: true },
      );
    case 'union':
      return fc.oneof(
        ...type.branches.map((branch) =>
          values(branch).map((value) => (branch.kind === 'null' ? null : { [branchName(branch)]: value })),
        ),
      );
    default:
      return fc.record(Object.fromEntries(type.fields.map((field) => [field.name, values(field.type)])), {
        noNullPrototype: true,
      });
  }
}

function branchName(type: AvroType): string {
  return 'name' in type ? type.name : type.kind;
}

/** The bare value of avsc's form. */
function bare(type: AvroType, value: unknown): unknown {
  if (type.kind === 'array') return (value as unknown[]).map((item) => bare(type.items, item));
  if (type.kind === 'map')
    return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, bare(type.values, item)]));
  if (type.kind === 'record') {
    return Object.fromEntries(
      type.fields.map(({ name, type }) => [name, bare(type, (value as Record<string, unknown>)[name])]),
    );
  }
  if (type.kind !== 'union' || value === null) return value;
  const [name, inner] = Object.entries(value as object)[0]!;
  return bare(type.branches.find((branch) => branchName(branch) === name)!, inner);
}

const cases = schemas.chain((schema) => {
  const type = parseSchema(schema);
  return values(type).map((wrapped) => ({ schema, type, wrapped, value: bare(type, wrapped) }));
});

/** Bytes in the middle of others, as they lie in a batch. */
function within(bytes: Uint8Array): { arena: Bytes; start: number; end: number } {
  const arena = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(20, 0x01)]);
  return { arena, start: 3, end: 3 + bytes.length };
}

function encoded(serde: Serde<unknown>, value: unknown, capacity = 16): Bytes {
  const out = new ByteWriter(capacity);
  serde.encode(value, out);
  return out.take();
}

test('what avsc wrote, views and decode read', () => {
  fc.assert(
    fc.property(cases, ({ schema, type, wrapped, value }) => {
      const serde = avro(schema) as Serde<unknown>;
      const { arena, start, end } = within(referenceType(type).toBuffer(wrapped));
      assert.deepStrictEqual(serde.decode(arena, start, end), value);
      const view = serde.view();
      assert.deepStrictEqual(toPlain(view(arena, start, end)), value);
      assert.deepStrictEqual({ ...(view(arena, start, end) as object) }, value);
      assert.deepStrictEqual(Object.keys(view(arena, start, end) as object), Object.keys(value as object));
    }),
    RUNS,
  );
});

test('what encode wrote, avsc reads, and would have written', () => {
  fc.assert(
    fc.property(cases, ({ schema, type, value }) => {
      const serde = avro(schema) as Serde<unknown>;
      const bytes = encoded(serde, value);
      assert.deepStrictEqual(serde.decode(bytes, 0, bytes.length), value);
      const reference = referenceType(type);
      assert.deepStrictEqual(reference.toBuffer(reference.fromBuffer(bytes)), bytes);
    }),
    RUNS,
  );
});

test('a view encodes to what its value encodes to', () => {
  fc.assert(
    fc.property(cases, ({ schema, value }) => {
      const serde = avro(schema, { id: 77 }) as Serde<unknown>;
      const bytes = encoded(serde, value);
      assert.deepStrictEqual([...bytes.subarray(0, 5)], [0, 0, 0, 0, 77]);
      const { arena, start, end } = within(bytes);
      assert.deepStrictEqual(encoded(serde, serde.view()(arena, start, end)), bytes);
      assert.deepStrictEqual(serde.read(arena, start, end), serde.decode(arena, start, end));
    }),
    RUNS,
  );
});

test('fields are read alike in any order, any number of times, from record to record', () => {
  const pairs = cases.chain((one) =>
    fc.record({
      one: fc.constant(one),
      other: values(one.type),
      order: fc.array(fc.nat({ max: 5 }), { maxLength: 12 }),
    }),
  );
  fc.assert(
    fc.property(pairs, ({ one, other, order }) => {
      const serde = avro(one.schema) as Serde<unknown>;
      const view = serde.view();
      for (const value of [one.value, bare(one.type, other), one.value] as Record<string, unknown>[]) {
        const { arena, start, end } = within(encoded(serde, value));
        const flyweight = view(arena, start, end) as Record<string, unknown>;
        for (const i of order) assert.deepStrictEqual(flyweight[`f${i}`], value[`f${i}`]);
      }
    }),
    RUNS,
  );
});

test('random bytes give a value or schema.mismatch, never anything else', () => {
  let values = 0;
  let mismatches = 0;
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(fc.constantFrom(0, 1, 2, 3, 4, 255), { maxLength: 30 }),
  );
  fc.assert(
    fc.property(schemas, fc.array(bytes, { minLength: 8, maxLength: 8 }), (schema, inputs) => {
      const serde = avro(schema) as Serde<unknown>;
      const view = serde.view();
      for (const input of inputs) {
        const { arena, start, end } = within(Uint8Array.from(input));
        const plain = attempt(() => serde.decode(arena, start, end));
        const viewed = attempt(() => toPlain(view(arena, start, end)));
        if (plain === undefined) mismatches++;
        else {
          values++;
          assert.deepStrictEqual(viewed, plain);
        }
      }
    }),
    RUNS,
  );
  assert.ok(values > 20 && mismatches > 20, `${values} values and ${mismatches} mismatches`);
});

test('a valid value with one byte changed or its end cut off gives a value or schema.mismatch', () => {
  fc.assert(
    fc.property(cases, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), ({ schema, value }, place, byte, cut) => {
      const serde = avro(schema) as Serde<unknown>;
      const bytes = encoded(serde, value);
      if (bytes.length === 0) return;
      const { arena, start, end } = within(bytes);
      arena[start + (place % bytes.length)] = byte;
      attempt(() => serde.decode(arena, start, end));
      attempt(() => toPlain(serde.view()(arena, start, end)));
      assert.equal(
        attempt(() => serde.decode(arena, start, start + (cut % bytes.length))) === undefined || bytes.length > 0,
        true,
      );
    }),
    RUNS,
  );
});

function attempt<R>(run: () => R): R | undefined {
  try {
    return run();
  } catch (thrown) {
    if (isFlowError(thrown, 'schema.mismatch')) return undefined;
    throw thrown;
  }
}
