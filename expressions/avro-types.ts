import type { Json } from '../core/ids.ts';
import type { ExprType } from './expressions.ts';
import { FORBIDDEN } from './limits.ts';
import { join } from './types.ts';

type Schema = { readonly [name: string]: Json };

/** Numbers of every width are numbers; bytes and what cannot be followed are `dyn`. */
const PRIMITIVES: { readonly [name: string]: ExprType } = {
  null: 'null',
  boolean: 'bool',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'dyn',
};

/** The type of the values of an Avro schema. A record within itself is `dyn` where it comes again. */
export function typeOfAvroSchema(schema: Json): ExprType {
  return new Reader().type(schema, '');
}

/** How many types come of one schema, a record that is named again counting as often. */
const MAX_TYPES = 2000;

class Reader {
  readonly #named = new Map<string, { readonly type: ExprType; readonly size: number }>();
  #left = MAX_TYPES;

  type(schema: Json, namespace: string): ExprType {
    if (--this.#left < 0) return 'dyn';
    if (typeof schema === 'string') return this.#reference(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema, namespace);
    if (typeof schema !== 'object' || schema === null) return 'dyn';
    const one = schema as Schema;
    switch (one['type']) {
      case 'record':
        return this.#record(one, namespace);
      case 'enum':
        return this.#name(one, namespace, 'string');
      case 'fixed':
        return this.#name(one, namespace, 'dyn');
      case 'array':
        return { list: this.type(one['items'] ?? null, namespace) };
      case 'map':
        return { map: this.type(one['values'] ?? null, namespace) };
      default:
        return this.type(one['type'] ?? null, namespace);
    }
  }

  #reference(name: string, namespace: string): ExprType {
    if (Object.hasOwn(PRIMITIVES, name)) return PRIMITIVES[name]!;
    const found = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
    if (found === undefined || found.size > this.#left) return 'dyn';
    this.#left -= found.size;
    return found.type;
  }

  #union(branches: readonly Json[], namespace: string): ExprType {
    const types = branches.map((branch) => this.type(branch, namespace));
    return types.length === 0 ? 'null' : types.reduce(join);
  }

  #record(schema: Schema, namespace: string): ExprType {
    const name = fullName(String(schema['name']), String(schema['namespace'] ?? namespace));
    const inner = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
    const before = this.#left;
    this.#named.set(name, { type: 'dyn', size: 1 });
    const fields: { [field: string]: ExprType } = {};
    const list = Array.isArray(schema['fields']) ? (schema['fields'] as readonly Schema[]) : [];
    for (const field of list) {
      const fieldName = String(field['name']);
      if (!FORBIDDEN.has(fieldName)) fields[fieldName] = this.type(field['type'] ?? null, inner);
    }
    const type = { fields };
    this.#named.set(name, { type, size: before - this.#left });
    return type;
  }

  #name(schema: Schema, namespace: string, type: ExprType): ExprType {
    const name = fullName(String(schema['name']), String(schema['namespace'] ?? namespace));
    this.#named.set(name, { type, size: 1 });
    return type;
  }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}
