import type { ExprType } from './expressions.ts';

export type Fields = Extract<ExprType, { readonly fields: unknown }>;

/** Whether values of a type are of another: always, only if a look at the value says so, or never. */
export type Fit = 'yes' | 'look' | 'no';

export function isFields(type: ExprType): type is Fields {
  return typeof type === 'object' && 'fields' in type;
}

export function isList(type: ExprType): type is { readonly list: ExprType } {
  return typeof type === 'object' && 'list' in type;
}

export function isMap(type: ExprType): type is { readonly map: ExprType } {
  return typeof type === 'object' && 'map' in type;
}

export function isNullable(type: ExprType): type is { readonly nullable: ExprType } {
  return typeof type === 'object' && 'nullable' in type;
}

/** What is left when null is ruled out. */
export function present(type: ExprType): ExprType {
  return isNullable(type) ? present(type.nullable) : type;
}

export function orNull(type: ExprType): ExprType {
  return type === 'dyn' || type === 'null' || isNullable(type) ? type : { nullable: type };
}

export function fieldType(type: Fields, name: string): ExprType | undefined {
  return Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
}

export function fit(actual: ExprType, wanted: ExprType): Fit {
  if (wanted === 'dyn' || same(actual, wanted)) return 'yes';
  if (actual === 'dyn') return 'look';
  if (isNullable(wanted)) return actual === 'null' ? 'yes' : fit(actual, wanted.nullable) === 'no' ? 'no' : 'look';
  if (isNullable(actual)) return fit(present(actual), wanted) === 'no' ? 'no' : 'look';
  if (isList(actual) && isList(wanted)) return fit(actual.list, wanted.list);
  if (isMap(wanted) && isMap(actual)) return fit(actual.map, wanted.map);
  if (isMap(wanted) && isFields(actual)) return worst(Object.values(actual.fields).map((one) => fit(one, wanted.map)));
  if (isFields(wanted) && isMap(actual)) return 'look';
  if (isFields(wanted) && isFields(actual)) return fitFields(actual, wanted);
  return 'no';
}

function fitFields(actual: Fields, wanted: Fields): Fit {
  return worst(
    Object.entries(wanted.fields).map(([name, type]) => {
      const own = fieldType(actual, name);
      const may = wanted.optional?.includes(name) ?? false;
      if (own === undefined) return may ? 'yes' : 'no';
      return actual.optional?.includes(name) && !may ? worst(['look', fit(own, type)]) : fit(own, type);
    }),
  );
}

function worst(fits: readonly Fit[]): Fit {
  return fits.includes('no') ? 'no' : fits.includes('look') ? 'look' : 'yes';
}

export function same(a: ExprType, b: ExprType): boolean {
  return a === b || printType(a) === printType(b);
}

/** A type that values of both have. */
export function join(a: ExprType, b: ExprType): ExprType {
  if (same(a, b)) return a;
  if (a === 'null') return orNull(b);
  if (b === 'null') return orNull(a);
  if (isNullable(a) || isNullable(b)) {
    const inner = join(present(a), present(b));
    return orNull(inner);
  }
  return isList(a) && isList(b) ? { list: join(a.list, b.list) } : 'dyn';
}

/** A type as users read it: `{ total: number, note?: string }`, `list(number)`, `string or null`. */
export function printType(type: ExprType): string {
  if (typeof type === 'string') return type;
  if ('list' in type) return `list(${printType(type.list)})`;
  if ('map' in type) return `map(${printType(type.map)})`;
  if ('nullable' in type) return `${printType(type.nullable)} or null`;
  const fields = Object.keys(type.fields).map(
    (name) => `${name}${type.optional?.includes(name) ? '?' : ''}: ${printType(type.fields[name]!)}`,
  );
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

/** The same, short enough for a message. */
export function printShort(type: ExprType): string {
  const text = printType(type);
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
}

/** What a value is, in the words of types. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'boolean':
      return 'a bool';
    case 'number':
      return 'a number';
    case 'string':
      return 'a string';
    case 'undefined':
      return 'absent';
    case 'object':
      return ArrayBuffer.isView(value) ? 'bytes' : 'a map';
    default:
      return `a ${typeof value}`;
  }
}
