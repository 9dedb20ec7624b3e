/** A function of a record, as users write it. */
export type Fn<R> = (value: unknown, key?: unknown) => R;

/**
 * True where a function declares one parameter: then the key is not decoded for it. A function that
 * declares none may collect them all (`...args`), so it gets both.
 */
export function takesValueAlone(fn: Fn<unknown>): boolean {
  return fn.length === 1;
}
