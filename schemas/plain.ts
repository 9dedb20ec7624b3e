/**
 * A copy that may be kept and shares nothing with batches: of a view, a row or a plain value. Objects are
 * copied field by field, deeply; bytes are copied; primitives are themselves.
 */
export function toPlain<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Date) return new Date(value);
  const plain: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const field = copy((value as Record<string, unknown>)[name]);
    // Assigning to this name would set the prototype instead.
    if (name === '__proto__')
      Object.defineProperty(plain, name, { value: field, enumerable: true, configurable: true, writable: true });
    else plain[name] = field;
  }
  return plain;
}
