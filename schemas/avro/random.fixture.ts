import fc from 'fast-check';
import type { AvroSchema } from '../avro-types.ts';
import type { AvroType } from './model.ts';

/** Random schemas of records, and random values of them. */

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

export const schemas = shapes.record.map((shape) => named(shape));

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ minLength: 20, maxLength: 90 }),
);
const whole = fc.oneof(fc.integer({ min: -70, max: 70 }), fc.maxSafeInteger()).map((value) => value + 0);
const notMinusZero = (value: number) => (value === 0 ? 0 : value);

/** Values in avsc's form, where the branch of a union is named. */
export function values(type: AvroType): fc.Arbitrary<unknown> {
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
export function bare(type: AvroType, value: unknown): unknown {
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
