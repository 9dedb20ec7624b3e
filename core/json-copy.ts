/** A copy, and how many characters its names and texts have. */
export interface JsonCopy<T> {
  readonly value: T;
  readonly characters: number;
}

/** Nesting beyond this, and so a circle, is left to `JSON.stringify`, which tells what is wrong with it. */
const DEEPEST = 64;

let characters = 0;

/**
 * What would come back from the JSON of a value, without its text: nothing of it is shared but texts. What is no plain
 * object, list, text or number goes the long way.
 */
export function jsonCopy<T>(value: T): JsonCopy<T> {
  characters = 0;
  const copy = copyOf(value, 0) as T;
  return { value: copy, characters };
}

function copyOf(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      characters += value.length;
      return value;
    case 'number':
      // JSON knows no -0
      return Number.isFinite(value) ? value + 0 : null;
    case 'boolean':
      return value;
    case 'object': {
      if (value === null) return null;
      if (depth < DEEPEST && !('toJSON' in value)) {
        if (Array.isArray(value)) return listOf(value, depth);
        const prototype: unknown = Object.getPrototypeOf(value);
        if (prototype === Object.prototype || prototype === null) return objectOf(value, depth);
      }
      return throughText(value);
    }
    case 'bigint':
      return throughText(value);
    default:
      return undefined;
  }
}

function listOf(list: readonly unknown[], depth: number): unknown[] {
  const copy: unknown[] = [];
  for (let i = 0; i < list.length; i++) copy.push(copyOf(list[i], depth + 1) ?? null);
  return copy;
}

function objectOf(object: object, depth: number): unknown {
  const copy: { [name: string]: unknown } = {};
  for (const name of Object.keys(object)) {
    // an assignment would set the prototype
    if (name === '__proto__') return throughText(object);
    const value = copyOf((object as { readonly [name: string]: unknown })[name], depth + 1);
    if (value === undefined) continue;
    characters += name.length;
    copy[name] = value;
  }
  return copy;
}

function throughText(value: unknown): unknown {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) return undefined;
  characters += text.length;
  return JSON.parse(text);
}
