import type { Json } from '../../core/ids.ts';
import { shown } from '../mismatch.ts';
import type { AvroType } from './model.ts';
import { invalid } from './parse.ts';

/** The value of a default as the schema writes it: bytes as text of Latin-1, unions by their first branch. */
export function defaultValue(type: AvroType, json: Json, where: string): unknown {
  const fault = (): never => invalid(where, `its default, ${shown(json)}, is not of its type`);
  switch (type.kind) {
    case 'null':
      return json === null ? null : fault();
    case 'boolean':
      return typeof json === 'boolean' ? json : fault();
    case 'int':
      return typeof json === 'number' && (json | 0) === json ? json : fault();
    case 'long':
      return Number.isSafeInteger(json) ? json : fault();
    case 'float':
    case 'double':
      return typeof json === 'number' ? json : fault();
    case 'string':
      return typeof json === 'string' ? json : fault();
    case 'bytes':
      return typeof json === 'string' ? Buffer.from(json, 'latin1') : fault();
    case 'fixed':
      return typeof json === 'string' && json.length === type.size ? Buffer.from(json, 'latin1') : fault();
    case 'enum':
      return typeof json === 'string' && type.symbols.includes(json) ? json : fault();
    case 'union':
      return defaultValue(type.branches[0]!, json, where);
    case 'array':
      return Array.isArray(json) ? json.map((item: Json) => defaultValue(type.items, item, where)) : fault();
    default:
      return dictDefault(type, json, where, fault);
  }
}

function dictDefault(
  type: Extract<AvroType, { kind: 'map' | 'record' }>,
  json: Json,
  where: string,
  fault: () => never,
): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return fault();
  const dict = json as { readonly [name: string]: Json };
  const value: Record<string, unknown> = {};
  if (type.kind === 'map') {
    for (const key of Object.keys(dict)) {
      if (key === '__proto__') fault();
      value[key] = defaultValue(type.values, dict[key]!, where);
    }
    return value;
  }
  for (const field of type.fields) {
    const own = dict[field.name] ?? field.default;
    if (own === undefined) return fault();
    value[field.name] = defaultValue(field.type, own, where);
  }
  return value;
}
