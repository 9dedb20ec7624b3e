import * as arithmetic from './arithmetic.ts';
import type { ExprType } from './expressions.ts';
import { matches } from './patterns.ts';
import * as texts from './texts.ts';
import * as times from './times.ts';

/** What a function takes: a type, which is made sure of before it is called, or one of several, which it looks at itself. */
export type Param = ExprType | OneOf;

interface OneOf {
  readonly oneOf: readonly ExprType[];
}

export interface FunctionSpec {
  readonly params: readonly Param[];
  /** Of the last params, how many may be left out. */
  readonly optional: number;
  /** What may follow, as often as one likes. */
  readonly rest: Param | null;
  readonly result: ExprType;
  /** Gets the number of its node first. */
  readonly run: (site: number, ...args: never[]) => unknown;
}

const text: ExprType = 'string';
const number: ExprType = 'number';
const SIZED: Param = { oneOf: [text, { list: 'dyn' }, { map: 'dyn' }] };
const SCALAR: Param = { oneOf: [text, number, 'bool'] };
const NUMERIC: Param = { oneOf: [text, number] };
const NUMBERS: Param = { oneOf: [number, { list: number }] };

function row(
  params: readonly Param[],
  result: ExprType,
  run: FunctionSpec['run'],
  more: { readonly optional?: number; readonly rest?: Param } = {},
): FunctionSpec {
  return { params, result, run, optional: more.optional ?? 0, rest: more.rest ?? null };
}

const ofNumber = (calculate: (value: number) => number) =>
  row([number], number, (site: number, value: number) => arithmetic.finite(site, calculate(value)) + 0);

/** All functions by name; `x.f(y)` is `f(x, y)`. */
export const FUNCTIONS: { readonly [name: string]: FunctionSpec } = {
  size: row([SIZED], number, texts.size),
  startsWith: row([text, text], 'bool', texts.startsWith),
  endsWith: row([text, text], 'bool', texts.endsWith),
  contains: row([text, text], 'bool', texts.contains),
  /** Its pattern is a literal, compiled beforehand. */
  matches: row([text, text], 'bool', matches),
  indexOf: row([text, text], number, texts.indexOf),
  lowerAscii: row([text], text, texts.lowerAscii),
  upperAscii: row([text], text, texts.upperAscii),
  trim: row([text], text, texts.trim),
  split: row([text, text, number], { list: text }, texts.split, { optional: 1 }),
  join: row([{ list: 'dyn' }, text], text, texts.join, { optional: 1 }),
  substring: row([text, number, number], text, texts.substring, { optional: 1 }),
  replace: row([text, text, text, number], text, texts.replace, { optional: 1 }),
  int: row([NUMERIC], number, arithmetic.toInt),
  double: row([NUMERIC], number, arithmetic.toDouble),
  string: row([SCALAR], text, arithmetic.toText),
  bool: row([{ oneOf: ['bool', text] }], 'bool', arithmetic.toBool),
  dyn: row(['dyn'], 'dyn', (_: number, value: unknown) => value),
  timestamp: row([NUMERIC], number, times.timestamp),
  duration: row([NUMERIC], number, times.duration),
  abs: ofNumber(Math.abs),
  floor: ofNumber(Math.floor),
  ceil: ofNumber(Math.ceil),
  trunc: ofNumber(Math.trunc),
  sign: ofNumber(Math.sign),
  round: row([number], number, arithmetic.round),
  sum: row([{ list: number }], number, arithmetic.sum),
  min: row([NUMBERS], number, (site: number, ...values: unknown[]) => arithmetic.extreme(site, values, -1), {
    rest: number,
  }),
  max: row([NUMBERS], number, (site: number, ...values: unknown[]) => arithmetic.extreme(site, values, 1), {
    rest: number,
  }),
};

export function functionNamed(name: string): FunctionSpec | undefined {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
}

/** What the argument at a place among so many is given to. */
export function paramOf({ params, rest }: FunctionSpec, place: number, count: number): Param {
  return (place === 0 && count > 1 ? rest : null) ?? params[place] ?? rest!;
}

export function isOneOf(param: Param): param is OneOf {
  return typeof param === 'object' && 'oneOf' in param;
}

/** How many arguments it takes, in words. */
export function arity({ params, optional, rest }: FunctionSpec): string {
  const least = params.length - optional;
  if (rest !== null) return `${least} or more`;
  return optional === 0 ? String(least) : `${least} to ${params.length}`;
}
