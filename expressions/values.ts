import { burn, burnText, fail } from './failure.ts';
import { FORBIDDEN } from './limits.ts';
import { made } from './sizes.ts';
import { kindOf } from './types.ts';

/** How values are read, compared and made: what the walk over the tree and the compiled form share. */

export type Dict = { readonly [name: string]: unknown };

/** How deep values are compared. */
const MAX_DEPTH = 64;

export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function own(of: Dict, name: string): unknown {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

export function variable(site: number, scope: Dict, name: string): unknown {
  const value = own(scope, name);
  if (value === undefined) fail(site, 'is not there', `Provide ${name} in the scope.`);
  return value;
}

export function field(site: number, of: unknown, name: string): unknown {
  if (!isDict(of)) noField(site, of, name);
  const value = own(of, name);
  if (value === undefined) absent(site, name);
  return value;
}

function noField(site: number, of: unknown, name: string): never {
  const cure = of === null ? `Write .?${name} where it may be null.` : 'Only maps have fields.';
  fail(site, `is read of what is ${kindOf(of)}`, cure);
}

function absent(site: number, name: string): never {
  fail(site, `is absent: there is no ${name}`, `Ask by has(), or write .?${name} to get null.`);
}

/** Null where there is no such field. */
export function optional(site: number, of: unknown, name: string): unknown {
  if (of === null) return null;
  if (!isDict(of)) noField(site, of, name);
  return own(of, name) ?? null;
}

export function has(site: number, of: unknown, name: string): boolean {
  if (of === null) return false;
  if (!isDict(of)) noField(site, of, name);
  return own(of, name) !== undefined;
}

export function index(site: number, of: unknown, key: unknown): unknown {
  const value = item(site, of, key);
  if (value === undefined) {
    const what = typeof key === 'number' ? `item ${key}` : `key ${JSON.stringify(key)}`;
    fail(site, `is absent: there is no ${what}`, 'Ask for size() or by in first, or write [?...] to get null.');
  }
  return value;
}

export function optionalIndex(site: number, of: unknown, key: unknown): unknown {
  return of === null ? null : (item(site, of, key) ?? null);
}

function item(site: number, of: unknown, key: unknown): unknown {
  if (Array.isArray(of)) {
    if (typeof key !== 'number' || !Number.isInteger(key)) {
      fail(site, `asks a list for ${kindOf(key)}`, 'Lists are read by whole numbers from 0.');
    }
    return key >= 0 && key < of.length ? of[key] : undefined;
  }
  if (!isDict(of)) fail(site, `is read of what is ${kindOf(of)}`, 'Only lists and maps have items.');
  if (typeof key !== 'string') fail(site, `asks a map for ${kindOf(key)}`, 'Maps are read by strings.');
  if (FORBIDDEN.has(key)) fail(site, `asks for ${key}, which may not be read`, 'Name the field otherwise.');
  return own(of, key);
}

/** The items of a list, or the keys of a map, to go through. */
export function items(site: number, over: unknown): readonly unknown[] {
  if (Array.isArray(over)) return over;
  if (!isDict(over)) fail(site, `goes through what is ${kindOf(over)}`, 'Only lists and maps can be gone through.');
  const keys = Object.keys(over);
  burn(site, keys.length);
  return keys;
}

export function within(site: number, value: unknown, of: unknown): boolean {
  if (Array.isArray(of)) {
    for (const one of of) if (equal(site, value, one)) return true;
    return false;
  }
  if (!isDict(of)) fail(site, `looks into what is ${kindOf(of)}`, 'in takes a list, or a map and one of its keys.');
  return typeof value === 'string' && !FORBIDDEN.has(value) && own(of, value) !== undefined;
}

/** By value, deeply; values of different types are not equal. */
export function equal(site: number, a: unknown, b: unknown, depth = 0): boolean {
  burn(site, 1);
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (depth >= MAX_DEPTH) fail(site, `compares what nests deeper than ${MAX_DEPTH}`, 'Compare parts of it.');
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equal(site, a[i], b[i], depth + 1)) return false;
    return true;
  }
  if (!isDict(a) || !isDict(b)) return equalBytes(site, a, b);
  const names = Object.keys(a).filter((name) => a[name] !== undefined);
  burn(site, names.length);
  if (names.length !== Object.keys(b).filter((name) => b[name] !== undefined).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equal(site, a[name], b[name], depth + 1));
}

function equalBytes(site: number, a: object, b: object): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array) || a.length !== b.length) return false;
  burnText(site, a.length);
  return Buffer.compare(a, b) === 0;
}

/** Below, above or at 0 as `<` says; NaN where nothing holds. */
export function compare(site: number, a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return fail(site, `compares ${kindOf(a)} with ${kindOf(b)}`, 'Only two numbers or two strings have an order.');
}

/** A list of given items. */
export function list(site: number, ...values: unknown[]): readonly unknown[] {
  burn(site, values.length);
  return made(site, values);
}

/** A map of keys and values in turn; of equal keys the last one counts. */
export function map(site: number, ...pairs: unknown[]): Dict {
  burn(site, pairs.length);
  const dict: Record<string, unknown> = {};
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key !== 'string') fail(site, `has ${kindOf(key)} as a key`, 'Keys are strings: string() makes one.');
    if (FORBIDDEN.has(key)) fail(site, `has the key ${key}, which may not be made`, 'Name the field otherwise.');
    dict[key] = pairs[i + 1];
  }
  return made(site, dict);
}

/** Says that a value is not of the type that is wanted. */
export function wrong(site: number, value: unknown, wanted: string): never {
  const cure =
    value === null ? 'Give another value by orValue(), or ask for null first.' : 'Convert it, or correct the data.';
  return fail(site, `is ${kindOf(value)} where a ${wanted} is wanted`, cure);
}
