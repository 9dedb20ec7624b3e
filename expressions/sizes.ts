import { burn, fail, fuel } from './failure.ts';
import { LIMITS } from './limits.ts';

/** How deep values are gone through. */
const MAX_DEPTH = 64;

/**
 * A list or map that was built, if it is not too large once written out. A value that stands in it in two places counts
 * twice: a few lines could otherwise build what no memory can hold as text.
 */
export function made<T extends object>(site: number, value: T): T {
  if (fuel.sizes !== undefined) sizeOf(site, value, fuel.sizes, 0);
  return value;
}

/** Parts, a text counting as one for so many of its letters. */
function sizeOf(site: number, value: unknown, sizes: WeakMap<object, number>, depth: number): number {
  if (typeof value === 'string') return 1 + (value.length >>> 6);
  if (typeof value !== 'object' || value === null) return 1;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  if (depth > MAX_DEPTH) fail(site, `holds what nests deeper than ${MAX_DEPTH}`, 'Take parts of it.');
  let size = 1;
  const items: readonly unknown[] = ArrayBuffer.isView(value)
    ? []
    : Array.isArray(value)
      ? value
      : Object.values(value);
  if (ArrayBuffer.isView(value)) size += value.byteLength >>> 6;
  burn(site, items.length);
  for (let i = 0; i < items.length; i++) {
    size += sizeOf(site, items[i], sizes, depth + 1);
    if (size > LIMITS.parts) fail(site, `makes a value of more than ${LIMITS.parts} parts`, 'Make a smaller one.');
  }
  sizes.set(value, size);
  return size;
}
