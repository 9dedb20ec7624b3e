import type { Json } from '../core/ids.ts';
import type { ExprType } from './expressions.ts';
import { FORBIDDEN } from './limits.ts';
import { join, orNull } from './types.ts';

type Schema = { readonly [name: string]: Json };

/** How far references are followed, and schemas within schemas; and how many types come of one schema. */
const MAX_DEPTH = 16;
const MAX_TYPES = 2000;

interface Work {
  readonly root: Json;
  /** References that are being followed: one within itself is not. */
  readonly following: Set<string>;
  left: number;
}

/**
 * The type of the values of a JSON Schema. Fields that are listed are those there are, unless `additionalProperties` says
 * that there are more; what is not `required` may be absent.
 */
export function typeOfJsonSchema(schema: Json): ExprType {
  return typeOf(schema, { root: schema, following: new Set(['#']), left: MAX_TYPES }, 0);
}

function typeOf(schema: Json, work: Work, depth: number): ExprType {
  if (!isSchema(schema) || depth > MAX_DEPTH || --work.left < 0) return 'dyn';
  const { $ref: reference, const: constant, enum: values, type } = schema;
  if (typeof reference === 'string') return follow(reference, work, depth);
  if (constant !== undefined) return typeOfValue(constant);
  if (Array.isArray(values) && values.length > 0) return values.map(typeOfValue).reduce(join);
  for (const word of ['anyOf', 'oneOf'] as const) {
    const choices = schema[word];
    if (type === undefined && Array.isArray(choices) && choices.length > 0) {
      return choices.map((one: Json) => typeOf(one, work, depth + 1)).reduce(join);
    }
  }
  const all = schema['allOf'];
  if (type === undefined && Array.isArray(all) && all.length === 1) return typeOf(all[0]!, work, depth + 1);
  if (Array.isArray(type) && type.length > 0) {
    return type.map((one: Json) => typeNamed(one, schema, work, depth)).reduce(join);
  }
  if (type === undefined && isSchema(schema['properties'])) return typeNamed('object', schema, work, depth);
  return typeNamed(type ?? null, schema, work, depth);
}

function follow(reference: string, work: Work, depth: number): ExprType {
  const { following, root } = work;
  if (following.has(reference)) return 'dyn';
  following.add(reference);
  const type = typeOf(resolve(reference, root), work, depth + 1);
  following.delete(reference);
  return type;
}

function typeNamed(name: Json, schema: Schema, work: Work, depth: number): ExprType {
  switch (name) {
    case 'string':
    case 'null':
    case 'number':
      return nullable(schema, name);
    case 'integer':
      return nullable(schema, 'number');
    case 'boolean':
      return nullable(schema, 'bool');
    case 'array':
      return nullable(schema, { list: typeOf(schema['items'] ?? null, work, depth + 1) });
    case 'object':
      return nullable(schema, objectType(schema, work, depth));
    default:
      return 'dyn';
  }
}

function nullable(schema: Schema, type: ExprType): ExprType {
  return schema['nullable'] === true ? orNull(type) : type;
}

function objectType(schema: Schema, work: Work, depth: number): ExprType {
  const { properties, additionalProperties: more, patternProperties, required } = schema;
  if (!isSchema(properties)) return { map: isSchema(more) ? typeOf(more, work, depth + 1) : 'dyn' };
  if (more === true || isSchema(more) || isSchema(patternProperties)) return { map: 'dyn' };
  const names = Object.keys(properties).filter((name) => !FORBIDDEN.has(name));
  const must = Array.isArray(required) ? required : [];
  const fields = Object.fromEntries(names.map((name) => [name, typeOf(properties[name]!, work, depth + 1)]));
  const optional = names.filter((name) => !must.includes(name));
  return optional.length === 0 ? { fields } : { fields, optional };
}

function typeOfValue(value: Json): ExprType {
  if (value === null) return 'null';
  if (typeof value === 'string' || typeof value === 'number') return typeof value as 'string' | 'number';
  return typeof value === 'boolean' ? 'bool' : 'dyn';
}

/** References within the schema: `#/$defs/Order`. */
function resolve(reference: string, root: Json): Json {
  if (!reference.startsWith('#')) return null;
  let at: Json = root;
  for (const part of reference.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return null;
    at = (at as Schema)[name]!;
  }
  return at;
}

/** A schema that stands here, rather than a name of one. */
export function isSchema(schema: Json | undefined): schema is Schema {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema);
}
