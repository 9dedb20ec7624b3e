import type { Node } from './ast.ts';
import type { ExprType } from './expressions.ts';
import { isFields, isList, isMap, isNullable, present, printShort } from './types.ts';
import { isDict, wrong } from './values.ts';

/**
 * What is looked at before a value is used, told once for the walk over the tree and for the compiled form. A value
 * that is read from the scope is looked at where it is read, if a simple type was declared of it; all else where it is used.
 */

/** Types whose values are told by a look at the value itself. */
function isSimple(type: ExprType): boolean {
  const own = present(type);
  return own === 'bool' || own === 'number' || own === 'string' || own === 'null';
}

/** Whether values of a type are looked at where they are read. Maps are when one of their fields is asked for. */
export function isLookedAt(type: ExprType): boolean {
  return isSimple(type) || isList(present(type));
}

/** How two values are compared by order: as numbers, as strings, or as what they turn out to be. */
export function orderOf(a: ExprType, b: ExprType): 'number' | 'string' | null {
  const [left, right] = [present(a), present(b)];
  if (left === 'number' || right === 'number') return 'number';
  return left === 'string' || right === 'string' ? 'string' : null;
}

/** Whether two values are equal where they are identical: one of them cannot be a list or a map. */
export function isIdentity(a: ExprType, b: ExprType): boolean {
  return isSimple(a) || isSimple(b);
}

export function isRead(node: Node): boolean {
  return node.is === 'name' || node.is === 'field' || node.is === 'index';
}

/** The value, if it is of the type as far as one look tells. */
export function look(site: number, value: unknown, type: ExprType): unknown {
  return isOf(value, type) ? value : wrong(site, value, printShort(type));
}

function isOf(value: unknown, type: ExprType): boolean {
  if (isNullable(type)) return value === null || isOf(value, type.nullable);
  if (isList(type)) return Array.isArray(value);
  if (isMap(type) || isFields(type)) return isDict(value);
  switch (type) {
    case 'bool':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
    case 'number':
    case 'string':
      return typeof value === type;
    default:
      return true;
  }
}

/** The value, if it is of the type through and through. */
export function lookThrough(site: number, value: unknown, type: ExprType): unknown {
  look(site, value, type);
  if (value === null) return value;
  const own = present(type);
  if (isList(own)) {
    for (const item of value as readonly unknown[]) lookThrough(site, item, own.list);
  } else if (isMap(own)) {
    for (const name of Object.keys(value as object))
      lookThrough(site, (value as Record<string, unknown>)[name], own.map);
  } else if (isFields(own)) {
    for (const name of Object.keys(own.fields)) {
      const field = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (field === undefined && own.optional?.includes(name)) continue;
      lookThrough(site, field, own.fields[name]!);
    }
  }
  return value;
}
