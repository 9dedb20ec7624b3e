import { MAX_VALUE_DEPTH } from './limits.ts';

/**
 * How many bytes a value has as JSON; -1 where it is none: undefined, functions, numbers that are not finite, objects of
 * classes, nesting without end.
 */
export function jsonBytes(value: unknown, depth = 0): number {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value).length : -1;
    case 'boolean':
      return value ? 4 : 5;
    case 'string':
      return textBytes(value);
    case 'object':
      if (value === null) return 4;
      if (depth >= MAX_VALUE_DEPTH) return -1;
      return Array.isArray(value) ? listBytes(value, depth) : objectBytes(value, depth);
    default:
      return -1;
  }
}

function textBytes(text: string): number {
  if (text.length > 64) return Buffer.byteLength(JSON.stringify(text));
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || code > 126 || code === 34 || code === 92) return Buffer.byteLength(JSON.stringify(text));
  }
  return text.length + 2;
}

function listBytes(list: readonly unknown[], depth: number): number {
  let sum = Math.max(2, list.length + 1);
  for (const each of list) {
    const bytes = jsonBytes(each, depth + 1);
    if (bytes < 0) return -1;
    sum += bytes;
  }
  return sum;
}

function objectBytes(object: object, depth: number): number {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return -1;
  let sum = 1;
  let fields = 0;
  for (const name in object) {
    const bytes = jsonBytes((object as { readonly [name: string]: unknown })[name], depth + 1);
    if (bytes < 0) return -1;
    sum += bytes + textBytes(name) + 2;
    fields++;
  }
  return fields === 0 ? 2 : sum;
}
