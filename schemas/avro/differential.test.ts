import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, ByteWriter } from '../../core/bytes.ts';
import { isFlowError } from '../../core/errors.ts';
import { avro } from '../avro.ts';
import { type Serde, toPlain } from '../schemas.ts';
import { parseSchema } from './parse.ts';
import { bare, schemas, values } from './random.fixture.ts';
import { referenceType } from './reference.ts';

/** Generated code against avsc, on random schemas and values. */
const RUNS = { seed: 20240611, numRuns: 300 };

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
