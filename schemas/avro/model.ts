import type { Json } from '../../core/ids.ts';

/**
 * A checked Avro schema: what the generators work on. Every name in it is a plain identifier, every size is
 * bounded, references are resolved (a record may hold itself).
 */
export type AvroType =
  | {
      readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';
      readonly logicalType: string | undefined;
    }
  | FixedType
  | EnumType
  | { readonly kind: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly values: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | RecordType;

export type Kind = AvroType['kind'];

export interface FixedType {
  readonly kind: 'fixed';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly size: number;
  readonly logicalType: string | undefined;
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly symbols: readonly string[];
  /** What a reader takes a symbol for that it does not have. */
  readonly default: string | undefined;
}

export interface RecordType {
  readonly kind: 'record';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly fields: readonly FieldOf[];
  /** Whether a value may hold a value of this record, so that reading it must count its depth. */
  readonly recursive: boolean;
}

export interface FieldOf {
  readonly name: string;
  /** Names under which a reader also takes the field from values of other schemas. */
  readonly aliases: readonly string[];
  readonly type: AvroType;
  /** As written in the schema; `undefined` where there is none. */
  readonly default: Json | undefined;
}

/** How deep values of a recursive record may nest. */
export const MAX_VALUE_DEPTH = 200;
/** How many values without any bytes (nulls, empty records) one array or map may hold. */
export const MAX_EMPTY_ITEMS = 65_536;

const least = new WeakMap<RecordType, number>();

/** The fewest bytes a value takes. */
export function leastBytes(type: AvroType): number {
  switch (type.kind) {
    case 'null':
      return 0;
    case 'float':
      return 4;
    case 'double':
      return 8;
    case 'fixed':
      return type.size;
    case 'record':
      return leastOfRecord(type);
    default:
      return 1;
  }
}

function leastOfRecord(type: RecordType): number {
  const known = least.get(type);
  if (known !== undefined) return known;
  least.set(type, 0);
  const sum = type.fields.reduce((bytes, field) => bytes + leastBytes(field.type), 0);
  least.set(type, sum);
  return sum;
}

/** The most bytes a value takes, or `undefined` where that depends on the value. */
export function mostBytes(type: AvroType): number | undefined {
  switch (type.kind) {
    case 'null':
      return 0;
    case 'boolean':
      return 1;
    case 'float':
      return 4;
    case 'int':
    case 'enum':
      return 5;
    case 'double':
      return 8;
    case 'long':
      return 10;
    case 'fixed':
      return type.size <= 64 ? type.size : undefined;
    case 'union': {
      let most = 0;
      for (const branch of type.branches) {
        const bytes = mostBytes(branch);
        if (bytes === undefined) return undefined;
        most = Math.max(most, bytes);
      }
      return most + 1;
    }
    default:
      return undefined;
  }
}

/**
 * The schema again as JSON, in one canonical form: equal schemas give equal JSON. Without `logical` the
 * logical types are left out.
 */
export function schemaJson(type: AvroType, logical = true, seen: Set<string> = new Set()): Json {
  switch (type.kind) {
    case 'array':
      return { type: 'array', items: schemaJson(type.items, logical, seen) };
    case 'map':
      return { type: 'map', values: schemaJson(type.values, logical, seen) };
    case 'union':
      return type.branches.map((branch) => schemaJson(branch, logical, seen));
    case 'record':
    case 'enum':
    case 'fixed':
      if (seen.has(type.name)) return type.name;
      seen.add(type.name);
      return namedJson(type, logical, seen);
    default:
      return type.logicalType === undefined || !logical
        ? type.kind
        : { type: type.kind, logicalType: type.logicalType };
  }
}

function namedJson(type: RecordType | EnumType | FixedType, logical: boolean, seen: Set<string>): Json {
  const named = { name: type.name, ...(type.aliases.length === 0 ? {} : { aliases: type.aliases }) };
  if (type.kind === 'enum') {
    const fallback = type.default === undefined ? {} : { default: type.default };
    return { type: 'enum', ...named, symbols: type.symbols, ...fallback };
  }
  if (type.kind === 'fixed') {
    const fixed = { type: 'fixed', ...named, size: type.size };
    return type.logicalType === undefined || !logical ? fixed : { ...fixed, logicalType: type.logicalType };
  }
  const fields = type.fields.map((field) => {
    const json = { name: field.name, type: schemaJson(field.type, logical, seen) };
    const aliases = field.aliases.length === 0 ? {} : { aliases: field.aliases };
    return { ...json, ...aliases, ...(field.default === undefined ? {} : { default: field.default }) };
  });
  return { type: 'record', ...named, fields };
}
