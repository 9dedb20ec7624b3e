import { FlowError } from '../core/errors.ts';

/** How much of an offending value a message may show. */
const SHOWN_CHARS = 64;

/** A short, safe picture of a value: its type and at most the first 64 characters. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `the string ${JSON.stringify(cut(value))}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`;
  if (typeof value === 'bigint') return `the bigint ${cut(value.toString())}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Raises `schema.mismatch`: `where` names format and field, `expected` says what should stand there. */
export function mismatch(where: string, expected: string, found: string): never {
  throw new FlowError('schema.mismatch', `${where}: expected ${expected}, found ${found}`);
}

export function mismatchValue(where: string, expected: string, value: unknown): never {
  return mismatch(where, expected, shown(value));
}

function cut(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}…`;
}
