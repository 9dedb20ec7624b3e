import { add, concat, overflow } from './arithmetic.ts';
import { burn } from './failure.ts';
import { FUNCTIONS } from './functions.ts';
import { lookThrough } from './looks.ts';
import { made } from './sizes.ts';
import * as values from './values.ts';

const core = {
  own: Object.hasOwn,
  isArray: Array.isArray,
  burn,
  overflow,
  add,
  concat,
  lookThrough,
  variable: values.variable,
  field: values.field,
  optional: values.optional,
  has: values.has,
  index: values.index,
  optionalIndex: values.optionalIndex,
  within: values.within,
  equal: values.equal,
  compare: values.compare,
  items: values.items,
  list: values.list,
  map: values.map,
  wrong: values.wrong,
  fresh: (): unknown[] => [],
  made,
  push: (list: unknown[], value: unknown): number => list.push(value),
} as const;

export type CoreHelper = keyof typeof core;

/** The name by which generated code calls a function of the language. */
export function helperOf(fn: string): string {
  return `f_${fn}`;
}

/** All that generated code can call. */
export const HELPERS: Readonly<Record<string, unknown>> = Object.freeze({
  ...core,
  ...Object.fromEntries(Object.entries(FUNCTIONS).map(([name, { run }]) => [helperOf(name), run])),
});
