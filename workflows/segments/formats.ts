import type { Json } from '../../core/ids.ts';
import {
  type AvroSchema,
  avro,
  bytes,
  double,
  int32,
  int64,
  json,
  type Serde,
  sessionWindowed,
  string,
  windowed,
} from '../../schemas/schemas.ts';
import { durationOf } from '../duration.ts';

/** Formats of keys and values as documents name them: a word, an Avro schema, or the key of windows. */
export const FORMAT: Json = {
  description:
    'json, string, double, int32, int64, bytes, { "avro": schema }, or for keys of windows { "windowed": format, "size": "1h" } and { "sessions": format }',
  anyOf: [
    { enum: ['json', 'string', 'double', 'int32', 'int64', 'bytes'] },
    { type: 'object', required: ['avro'], properties: { avro: {} }, additionalProperties: false },
    {
      type: 'object',
      required: ['windowed', 'size'],
      properties: { windowed: {}, size: { type: 'string' } },
      additionalProperties: false,
    },
    { type: 'object', required: ['sessions'], properties: { sessions: {} }, additionalProperties: false },
  ],
};

const PLAIN: { readonly [name: string]: () => Serde<unknown> } = {
  json: json as () => Serde<unknown>,
  string: string as () => Serde<unknown>,
  double: double as () => Serde<unknown>,
  int32: int32 as () => Serde<unknown>,
  int64: int64 as () => Serde<unknown>,
  bytes: bytes as () => Serde<unknown>,
};

/** `undefined` where the text names none. */
export function formatOf(spec: Json): Serde<unknown> | undefined {
  if (typeof spec === 'string') return Object.hasOwn(PLAIN, spec) ? PLAIN[spec]!() : undefined;
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return undefined;
  const { avro: schema, windowed: inner, size, sessions } = spec as { readonly [name: string]: Json };
  if (schema !== undefined) return avro(schema as AvroSchema) as Serde<unknown>;
  const key = formatOf(inner ?? sessions ?? 'string');
  if (key === undefined) return undefined;
  if (sessions !== undefined) return sessionWindowed(key) as Serde<unknown>;
  const span = typeof size === 'string' ? durationOf(size) : undefined;
  return span === undefined ? undefined : (windowed(key, span) as Serde<unknown>);
}
