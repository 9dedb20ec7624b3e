import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { shown } from '../mismatch.ts';
import type { AvroType, EnumType, FieldOf, FixedType, RecordType } from './model.ts';

/**
 * Checks a schema before anything is generated from it: a schema may come from a registry or a file, and its
 * names end up as property names in generated code.
 */
export const LIMITS = {
  depth: 32,
  types: 4096,
  fields: 1024,
  symbols: 4096,
  branches: 63,
  nameChars: 256,
  fixedBytes: 1 << 20,
};

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
type Primitive = (typeof PRIMITIVES)[number];
type Named = RecordType | EnumType | FixedType;
type Dict = { readonly [name: string]: unknown };

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `before`: schemas whose names this one may use, in an order in which each finds those that it uses itself. */
export function parseSchema(schema: unknown, before: readonly unknown[] = []): AvroType {
  const parser = new Parser();
  for (const each of before) parser.type(each, '', 'a schema that it refers to', 0);
  return parser.type(schema, '', 'the schema', 0);
}

class Parser {
  readonly #named = new Map<string, Named>();
  /** Records whose fields are being read. */
  readonly #open = new Set<Named>();
  /** How many values one value of a record holds, arrays and maps left empty: records may double without limit. */
  readonly #weights = new Map<AvroType, number>();
  #types = 0;

  type(schema: unknown, space: string, where: string, depth: number): AvroType {
    if (depth > LIMITS.depth) invalid(where, `it nests deeper than ${LIMITS.depth}`);
    if (++this.#types > LIMITS.types) invalid(where, `it has more than ${LIMITS.types} types`);
    if (typeof schema === 'string') return this.#reference(schema, space, where);
    if (Array.isArray(schema)) return this.#union(schema, space, where, depth);
    if (!isDict(schema)) invalid(where, `${shown(schema)} is not a type`);
    const kind = schema['type'];
    switch (kind) {
      case 'record':
        return this.#record(schema, space, where, depth);
      case 'enum':
        return this.#enum(schema, space, where);
      case 'fixed':
        return this.#fixed(schema, space, where);
      case 'array':
        return { kind, items: this.type(schema['items'], space, `${where}[]`, depth + 1) };
      case 'map':
        return { kind, values: this.type(schema['values'], space, `${where}{}`, depth + 1) };
      default:
        if (isPrimitive(kind)) return { kind, logicalType: logicalType(schema) };
        return this.type(kind, space, where, depth + 1);
    }
  }

  #reference(name: string, space: string, where: string): AvroType {
    if (isPrimitive(name)) return { kind: name, logicalType: undefined };
    const found = this.#named.get(qualified(name, space)) ?? this.#named.get(name);
    if (found === undefined) invalid(where, `${shown(name)} is neither an Avro type nor defined before it is used`);
    if (this.#open.has(found)) (found as { recursive: boolean }).recursive = true;
    return found;
  }

  #union(schema: readonly unknown[], space: string, where: string, depth: number): AvroType {
    if (schema.length === 0) invalid(where, 'a union needs at least one type');
    if (schema.length > LIMITS.branches) invalid(where, `a union has at most ${LIMITS.branches} types`);
    const branches = schema.map((branch) => this.type(branch, space, where, depth + 1));
    const seen = new Set<string>();
    for (const branch of branches) {
      if (branch.kind === 'union') invalid(where, 'a union may not directly hold a union');
      const name = 'name' in branch ? branch.name : branch.kind;
      if (seen.has(name)) invalid(where, `its union names ${name} twice`);
      seen.add(name);
    }
    return { kind: 'union', branches };
  }

  #record(schema: Dict, space: string, where: string, depth: number): RecordType {
    const { name, space: inner } = this.#name(schema, space, where);
    const aliases = aliasesOf(schema, inner, name);
    const list = schema['fields'];
    if (!Array.isArray(list)) invalid(where, `record ${name} needs a list of fields`);
    if (list.length > LIMITS.fields) invalid(where, `record ${name} has more than ${LIMITS.fields} fields`);
    const fields: FieldOf[] = [];
    const record = { kind: 'record' as const, name, aliases, fields, recursive: false };
    this.#named.set(name, record);
    this.#open.add(record);
    for (const entry of list as readonly unknown[]) {
      if (!isDict(entry)) invalid(where, `a field of record ${name} is ${shown(entry)}`);
      const field = simpleName(entry['name'], `a field of record ${name}`);
      if (fields.some((other) => other.name === field)) invalid(where, `record ${name} has two fields ${field}`);
      const type = this.type(entry['type'], inner, `${name}.${field}`, depth + 1);
      const others = aliasesOf(entry, '', `${name}.${field}`);
      fields.push({ name: field, aliases: others, type, default: entry['default'] as Json | undefined });
    }
    this.#open.delete(record);
    const weight = fields.reduce((sum, field) => sum + this.#weight(field.type), 1);
    if (weight > LIMITS.types) invalid(where, `one value of record ${name} holds more than ${LIMITS.types} values`);
    this.#weights.set(record, weight);
    return record;
  }

  #weight(type: AvroType): number {
    if (type.kind === 'union') return Math.max(...type.branches.map((branch) => this.#weight(branch)));
    return this.#weights.get(type) ?? 1;
  }

  #enum(schema: Dict, space: string, where: string): EnumType {
    const { name, space: own } = this.#name(schema, space, where);
    const aliases = aliasesOf(schema, own, name);
    const symbols = schema['symbols'];
    if (!Array.isArray(symbols) || symbols.length === 0) invalid(where, `enum ${name} needs a list of symbols`);
    if (symbols.length > LIMITS.symbols) invalid(where, `enum ${name} has more than ${LIMITS.symbols} symbols`);
    const checked = symbols.map((symbol) => simpleName(symbol, `a symbol of enum ${name}`));
    if (new Set(checked).size < checked.length) invalid(where, `enum ${name} names a symbol twice`);
    const fallback = schema['default'];
    if (fallback !== undefined && !checked.includes(fallback as string)) {
      invalid(where, `the default of enum ${name}, ${shown(fallback)}, is none of its symbols`);
    }
    const type: EnumType = { kind: 'enum', name, aliases, symbols: checked, default: fallback as string | undefined };
    this.#named.set(name, type);
    return type;
  }

  #fixed(schema: Dict, space: string, where: string): FixedType {
    const { name, space: own } = this.#name(schema, space, where);
    const size = schema['size'];
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > LIMITS.fixedBytes) {
      invalid(
        where,
        `the size of fixed ${name} must be a whole number from 1 to ${LIMITS.fixedBytes}, not ${shown(size)}`,
      );
    }
    const aliases = aliasesOf(schema, own, name);
    const type: FixedType = { kind: 'fixed', name, aliases, size, logicalType: logicalType(schema) };
    this.#named.set(name, type);
    return type;
  }

  #name(schema: Dict, space: string, where: string): { name: string; space: string } {
    const given = schema['name'];
    const own = schema['namespace'];
    if (typeof given !== 'string') invalid(where, `a ${schema['type']} needs a name, not ${shown(given)}`);
    if (own !== undefined && typeof own !== 'string')
      invalid(where, `the namespace of ${shown(given)} is ${shown(own)}`);
    const name = qualified(given, own ?? space);
    for (const part of name.split('.')) simpleName(part, where);
    if (name.length > LIMITS.nameChars) invalid(where, `a name has more than ${LIMITS.nameChars} characters`);
    if (isPrimitive(name)) invalid(where, `${name} is the name of an Avro type`);
    if (this.#named.has(name)) invalid(where, `${name} is defined twice`);
    return { name, space: name.slice(0, Math.max(0, name.lastIndexOf('.'))) };
  }
}

function qualified(name: string, space: string): string {
  return name.includes('.') || space === '' ? name : `${space}.${name}`;
}

/** Names of old: those of types are whole, with their namespace; those of fields have none. */
function aliasesOf(schema: Dict, space: string, name: string): readonly string[] {
  const list = schema['aliases'];
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length > LIMITS.symbols) invalid(name, `its aliases are ${shown(list)}, not a list`);
  return list.map((alias: unknown) => {
    if (typeof alias !== 'string') invalid(name, `an alias is ${shown(alias)}`);
    for (const part of alias.split('.')) simpleName(part, `an alias of ${name}`);
    return qualified(alias, space);
  });
}

/** A name that may become a property: an identifier that no object has already. */
function simpleName(name: unknown, where: string): string {
  if (typeof name !== 'string' || !IDENTIFIER.test(name) || name.length > LIMITS.nameChars) {
    invalid(where, `${shown(name)} is not a name: use letters, digits and _, not first a digit`);
  }
  if (name in Object.prototype || name === 'prototype')
    invalid(where, `the name ${name} is not allowed, since every object has it`);
  return name;
}

function logicalType(schema: Dict): string | undefined {
  const logical = schema['logicalType'];
  return typeof logical === 'string' ? logical.slice(0, LIMITS.nameChars) : undefined;
}

function isPrimitive(name: unknown): name is Primitive {
  return (PRIMITIVES as readonly unknown[]).includes(name);
}

function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function invalid(where: string, fault: string): never {
  throw new FlowError('schema.invalid', `Avro schema, at ${where}: ${fault}`);
}
