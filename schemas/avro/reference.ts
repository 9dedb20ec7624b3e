import avsc from 'avsc';
import { messageOf } from '../../core/errors.ts';
import { mismatch } from '../mismatch.ts';
import type { View } from '../schemas.ts';
import { type AvroType, schemaJson } from './model.ts';
import { invalid } from './parse.ts';

/** Longs as numbers within ±2^53: avsc's own are rounded below -2^52, and stop short of 2^53. */
const LONG = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer: (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: Number.isSafeInteger,
  compare: (a: number, b: number) => Math.sign(a - b),
});

/** avsc's type for a schema: always from the checked form, never from what the user wrote. */
export function referenceType(type: AvroType): avsc.Type {
  const schema = schemaJson(type, false) as Parameters<typeof avsc.Type.forSchema>[0];
  try {
    return avsc.Type.forSchema(schema, { registry: { long: LONG }, wrapUnions: 'always', omitRecordMethods: true });
  } catch (cause) {
    invalid('the schema', messageOf(cause).slice(0, 200));
  }
}

/**
 * Decodes by avsc into plain objects. `check` reads the same bytes before, so that avsc only ever meets bytes
 * that are whole: it does not bound what it makes of others.
 */
export function referenceDecoder(
  type: AvroType,
  name: string,
  headerBytes: number,
  check: View<unknown>,
): View<unknown> {
  const reference = referenceType(type);
  return (bytes, start, end) => {
    check(bytes, start, end);
    let value: unknown;
    try {
      value = reference.fromBuffer(bytes.subarray(start + headerBytes, end));
    } catch (cause) {
      mismatch(name, 'a value of the schema', messageOf(cause).slice(0, 64));
    }
    return plain(type, value);
  };
}

/** avsc's values hold wrapped unions, records of its own classes and bytes that share memory. */
function plain(type: AvroType, value: unknown): unknown {
  switch (type.kind) {
    case 'bytes':
    case 'fixed':
      return Buffer.from(value as Uint8Array);
    case 'array':
      return (value as unknown[]).map((item) => plain(type.items, item));
    case 'map':
      return mapDict(value, (_, item) => plain(type.values, item));
    case 'record': {
      const fields = new Map(type.fields.map((field) => [field.name, field.type]));
      return mapDict(value, (name, item) => plain(fields.get(name)!, item));
    }
    case 'union': {
      if (value === null) return null;
      const [branch] = Object.keys(value as object);
      const inner = type.branches.find((each) => ('name' in each ? each.name : each.kind) === branch)!;
      return plain(inner, (value as { readonly [name: string]: unknown })[branch!]);
    }
    default:
      return value;
  }
}

function mapDict(value: unknown, each: (name: string, item: unknown) => unknown): Record<string, unknown> {
  const dict: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value as object)) dict[name] = each(name, item);
  return dict;
}
