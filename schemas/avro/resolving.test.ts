import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../core/bytes.ts';
import { isFlowError } from '../../core/errors.ts';
import { avro } from '../avro.ts';
import type { AvroSchema } from '../avro-types.ts';
import type { Serde } from '../schemas.ts';
import type { AvroType } from './model.ts';
import { parseSchema } from './parse.ts';
import { bare, schemas, values } from './random.fixture.ts';
import { referenceType } from './reference.ts';
import { canRead } from './resolution.ts';
import { resolvingReader } from './resolving.ts';

/** Reading under another schema, against avsc's own resolvers, and case by case. */
const RUNS = { seed: 20250117, numRuns: 400 };

type Dict = { [name: string]: unknown };

/** A schema as somebody may have changed it; `draw` decides. */
function evolved(schema: unknown, draw: () => number): unknown {
  if (typeof schema === 'string') return widened(schema, draw);
  if (Array.isArray(schema)) {
    const branches = schema.map((branch) => (draw() % 4 === 0 ? evolved(branch, draw) : branch));
    return unionOf(draw() % 5 === 0 ? [...branches, 'boolean'] : branches);
  }
  const dict = schema as Dict;
  switch (dict['type']) {
    case 'record':
      return { ...dict, fields: evolvedFields(dict['fields'] as Dict[], draw) };
    case 'array':
      return { ...dict, items: evolved(dict['items'], draw) };
    case 'map':
      return { ...dict, values: evolved(dict['values'], draw) };
    case 'enum':
      return draw() % 3 === 0 ? { ...dict, symbols: ['BLUE', 'GREEN', 'OTHER'], default: 'OTHER' } : dict;
    default:
      return dict;
  }
}

function widened(kind: string, draw: () => number): unknown {
  const wider: Dict = { int: 'double', long: 'double', float: 'double', string: 'bytes', bytes: 'string' };
  const chosen = draw() % 3 === 0 ? (wider[kind] ?? kind) : kind;
  return draw() % 4 === 0 && chosen !== 'null' ? ['null', chosen] : chosen;
}

/** A union takes each type once, and holds no union. */
function unionOf(branches: readonly unknown[]): unknown {
  const flat = branches.flat();
  const names = new Map(flat.map((branch) => [nameIn(branch), branch]));
  return [...names.values()];
}

function nameIn(branch: unknown): unknown {
  return typeof branch === 'string' ? branch : ((branch as Dict)['name'] ?? (branch as Dict)['type']);
}

function evolvedFields(fields: readonly Dict[], draw: () => number): Dict[] {
  const changed = fields
    .filter(() => draw() % 6 !== 0)
    .map((field) => {
      const next: Dict = { ...field, type: evolved(field['type'], draw) };
      return draw() % 6 === 0 ? { ...next, name: `${field['name']}new`, aliases: [field['name']] } : next;
    });
  if (draw() % 3 === 0) changed.unshift({ name: 'added', type: { type: 'array', items: 'int' }, default: [1] });
  if (draw() % 8 === 0) changed.push({ name: 'wanted', type: 'string' });
  return draw() % 3 === 0 ? changed.reverse() : changed;
}

const pairs = fc
  .tuple(schemas, fc.array(fc.nat({ max: 1000 }), { minLength: 60, maxLength: 60 }))
  .chain(([schema, drawn]) => {
    let next = 0;
    const writer = parseSchema(schema);
    const reader = parseSchema(evolved(schema, () => drawn[next++ % drawn.length]!));
    return values(writer).map((value) => ({ writer, reader, value }));
  });

test('what one schema wrote another reads as the resolvers of avsc read it, or neither does', () => {
  let read = 0;
  let refused = 0;
  fc.assert(
    fc.property(pairs, ({ writer, reader, value }) => {
      const target = referenceType(reader);
      const source = referenceType(writer);
      const bytes = source.toBuffer(value);
      let expected: unknown;
      try {
        expected = bare(reader, unwrapped(target.fromBuffer(bytes, target.createResolver(source))));
      } catch {
        refused++;
        assert.equal(canRead(writer, reader), false, 'avsc refuses the pair');
        return;
      }
      read++;
      assert.ok(canRead(writer, reader));
      const padded = Buffer.concat([Buffer.alloc(2, 7), bytes, Buffer.alloc(9, 7)]);
      const found = resolvingReader(writer, reader, 'test')(padded, 2, 2 + bytes.length);
      assert.deepStrictEqual(rounded(reader, found), rounded(reader, expected));
    }),
    RUNS,
  );
  assert.ok(read > 100 && refused > 20, `${read} read, ${refused} refused`);
});

/** Without avsc's classes of records and unions. */
function unwrapped(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unwrapped(inner)]));
}

/** avsc takes the first branch that fits in some way; where two primitives both do, the text stands for the bytes. */
function rounded(_type: AvroType, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map((item) => rounded(_type, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rounded(_type, inner)]));
}

test('bytes that are none of the writer give a value or schema.mismatch, never anything else', () => {
  fc.assert(
    fc.property(pairs, fc.uint8Array({ maxLength: 40 }), ({ writer, reader }, bytes) => {
      try {
        resolvingReader(writer, reader, 'test')(Buffer.from(bytes), 0, bytes.length);
      } catch (thrown) {
        if (!isFlowError(thrown, 'schema.mismatch')) throw thrown;
      }
    }),
    RUNS,
  );
});

function readAs(written: AvroSchema, value: unknown, reader: AvroSchema): unknown {
  const out = new ByteWriter();
  (avro(written) as Serde<unknown>).encode(value, out);
  return resolvingReader(parseSchema(written), parseSchema(reader), 'test')(out.bytes, 0, out.at);
}

const record = (...fields: readonly object[]): AvroSchema => ({ type: 'record', name: 'R', fields }) as AvroSchema;

test('fields go together by name or alias, what is missing takes its default', () => {
  const old = record({ name: 'a', type: 'int' }, { name: 'gone', type: 'string' }, { name: 'was', type: 'string' });
  const now = record(
    { name: 'is', type: 'string', aliases: ['was'] },
    { name: 'tags', type: { type: 'array', items: 'string' }, default: ['x'] },
    { name: 'a', type: 'long' },
  );
  const value = { a: 7, gone: 'g', was: 'w' };
  const first = readAs(old, value, now) as { tags: string[] };
  assert.deepEqual(first, { is: 'w', tags: ['x'], a: 7 });
  first.tags.push('mine');
  assert.deepEqual(readAs(old, value, now), { is: 'w', tags: ['x'], a: 7 });
});

test('numbers widen, floats to their own precision, and text and bytes go into each other', () => {
  assert.equal(readAs('int', 3, 'double'), 3);
  assert.equal(readAs('long', 16777217, 'float'), 16777216);
  assert.equal(readAs('long', 2 ** 53 - 1, 'double'), 2 ** 53 - 1);
  assert.deepEqual(readAs('string', 'é', 'bytes'), Buffer.from('é'));
  assert.equal(readAs('bytes', Buffer.from('é'), 'string'), 'é');
});

test('a symbol that the reader lacks is its default, and fails where it has none', () => {
  const written = { type: 'enum', name: 'E', symbols: ['A', 'B'] } as const;
  assert.equal(readAs(written, 'B', { type: 'enum', name: 'E', symbols: ['A', 'X'], default: 'X' }), 'X');
  assert.throws(
    () => readAs(written, 'B', { type: 'enum', name: 'E', symbols: ['A'] }),
    /expected a symbol of E, found number 1 of E/,
  );
});

test('of a union the branch of the same type is taken before one to widen to', () => {
  assert.equal(readAs('int', 3, ['double', 'int']), 3);
  assert.equal(readAs('string', 'x', ['bytes', 'string']), 'x');
  assert.equal(readAs(['null', 'string'], 'x', 'string'), 'x');
  assert.throws(() => readAs(['null', 'string'], null, 'string'), /expected string, found null/);
});

test('records that hold themselves are read at any depth', () => {
  const tree = (extra: readonly object[]): AvroSchema => {
    const children = { name: 'children', type: { type: 'array', items: 'Tree' } };
    return { type: 'record', name: 'Tree', fields: [{ name: 'n', type: 'int' }, children, ...extra] } as AvroSchema;
  };
  const value = { n: 1, children: [{ n: 2, children: [{ n: 3, children: [] }] }] };
  const more = tree([{ name: 'label', type: 'string', default: '-' }]);
  assert.deepEqual(readAs(tree([]), value, more), {
    n: 1,
    children: [{ n: 2, children: [{ n: 3, children: [], label: '-' }], label: '-' }],
    label: '-',
  });
});
