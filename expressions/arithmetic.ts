import { bounded, burn, fail } from './failure.ts';
import { made } from './sizes.ts';
import { kindOf } from './types.ts';

/** A number that JSON can hold. */
export function finite(site: number, value: number): number {
  return value - value === 0 ? value : overflow(site);
}

export function overflow(site: number): never {
  return fail(site, 'has no finite result', 'Rule out division by 0 and numbers that are too large.');
}

export function add(site: number, a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return finite(site, a + b);
  if (typeof a === 'string' && typeof b === 'string') return concat(site, a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    burn(site, a.length + b.length);
    return made(site, [...a, ...b]);
  }
  return fail(site, `adds ${kindOf(b)} to ${kindOf(a)}`, 'Two numbers, strings or lists can be added.');
}

export function concat(site: number, a: string, b: string): string {
  bounded(site, a.length + b.length);
  return a + b;
}

/** Halves away from zero. */
export function round(site: number, value: number): number {
  return finite(site, value < 0 ? -Math.round(-value) : Math.round(value));
}

export function sum(site: number, list: readonly unknown[]): number {
  burn(site, list.length);
  let total = 0;
  for (const one of list) total += numberIn(site, one);
  return finite(site, total);
}

/** The least or greatest of numbers, or of one list of them. */
export function extreme(site: number, values: readonly unknown[], sign: 1 | -1): number {
  const list = values.length === 1 && Array.isArray(values[0]) ? (values[0] as readonly unknown[]) : values;
  burn(site, list.length);
  if (list.length === 0) fail(site, 'is asked of an empty list', 'Ask for size() first.');
  let best = numberIn(site, list[0]);
  for (let i = 1; i < list.length; i++) {
    const value = numberIn(site, list[i]);
    if (value * sign > best * sign) best = value;
  }
  return finite(site, best);
}

function numberIn(site: number, value: unknown): number {
  return typeof value === 'number'
    ? value
    : fail(site, `meets ${kindOf(value)} among numbers`, 'Leave it out by filter().');
}

const WHOLE = /^[+-]?\d{1,17}$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export function toInt(site: number, value: unknown): number {
  const number = typeof value === 'string' && WHOLE.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return unreadable(site, value, 'a whole number');
  const whole = Math.trunc(number);
  if (!Number.isSafeInteger(whole)) fail(site, 'is beyond ±2^53', 'Keep it as a string.');
  return whole === 0 ? 0 : whole;
}

export function toDouble(site: number, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.length > 64 || !NUMBER.test(value)) return unreadable(site, value, 'a number');
  return finite(site, Number(value));
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

export function toBool(site: number, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && (TRUE.has(value) || FALSE.has(value))) return TRUE.has(value);
  return unreadable(site, value, 'a bool');
}

export function toText(site: number, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return unreadable(site, value, 'a string');
}

export function unreadable(site: number, value: unknown, wanted: string): never {
  const text = typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 40))}` : kindOf(value);
  return fail(site, `cannot read ${text} as ${wanted}`, 'Ask for what it is first, or correct the data.');
}
