/** A function of a record, as users write it. */
export type Fn<R> = (value: unknown, key?: unknown) => R;

/**
 * True where a function declares one parameter: then the key is not decoded for it. A function that
 * declares none may collect them all (`...args`), so it gets both.
 */
export function takesValueAlone(fn: Fn<unknown>): boolean {
  return fn.length === 1;
}

/** The same for functions of two values and the key. */
export function takesKey(fn: (a: never, b: never, key?: never) => unknown): boolean {
  return fn.length === 0 || fn.length > 2;
}

/** What a count begins with, and what a record adds. */
export const zero = (): number => 0;
export const plusOne = (count: unknown): number => (count as number) + 1;

/**
 * Makes a check whether nobody can have changed a value since it was decoded: a primitive, or a flyweight without
 * setters. What a function gives back of such a value is what its bytes still say.
 */
export function createFixedCheck(): (value: unknown) => boolean {
  let last: object | undefined;
  return (value) => {
    if (typeof value !== 'object' || value === null || value === last) return true;
    if (!Object.isFrozen(value)) return false;
    last = value;
    return true;
  };
}
