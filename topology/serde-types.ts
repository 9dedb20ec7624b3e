import { type ExprType, typeOfAvroSchema } from '../expressions/expressions.ts';
import type { Serde } from '../schemas/schemas.ts';

const PRIMITIVES: { readonly [name: string]: ExprType } = {
  string: 'string',
  int32: 'number',
  int64: 'number',
  double: 'number',
};

/** What expressions know of the values of a format. */
export function typeOfSerde({ schema }: Pick<Serde<unknown>, 'schema'>): ExprType {
  if (typeof schema === 'string') return Object.hasOwn(PRIMITIVES, schema) ? PRIMITIVES[schema]! : 'dyn';
  if (typeof schema !== 'object' || schema === null) return 'dyn';
  const chosen = 'json' in schema ? schema.json : undefined;
  if (!Array.isArray(chosen)) return typeOfAvroSchema(schema);
  const optional = chosen as readonly string[];
  return { fields: Object.fromEntries(optional.map((name) => [name, 'dyn' as const])), optional };
}
