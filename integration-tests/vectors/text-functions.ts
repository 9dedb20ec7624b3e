import type { Statement, Text } from './op.ts';

/** Text of a value: counts are numbers. */
export function text(value: unknown): Text {
  return value === null || value === undefined ? null : String(value);
}

/** The key of a record, without its window. */
export function plainKey(key: unknown): Text {
  if (typeof key === 'object' && key !== null && 'key' in key) return text(key.key);
  return text(key);
}

export type TextFunction = (value: unknown, key: unknown) => Text;

/** The predicates: a null value fails both. */
export function predicateOf(pred: Statement['pred']): (value: unknown) => boolean {
  const { neq, startsWith } = pred ?? {};
  if (neq !== undefined) return (value) => value !== null && text(value) !== neq;
  if (startsWith !== undefined) return (value) => text(value)?.startsWith(startsWith) === true;
  throw new Error(`unknown predicate ${JSON.stringify(pred)}`);
}

/** The functions of keys and values, by their names in the format; without a name the value as it is. */
export function textFunctionOf(name = 'value'): TextFunction {
  const colon = name.indexOf(':');
  const argument = colon < 0 ? '' : name.slice(colon + 1);
  switch (colon < 0 ? name : name.slice(0, colon)) {
    case 'key':
      return (_value, key) => plainKey(key);
    case 'value':
      return (value) => text(value);
    case 'upper':
      return (value) => text(value)?.toUpperCase() ?? null;
    case 'append':
      return (value) => `${text(value)}${argument}`;
    case 'nullIf':
      return (value) => (text(value)?.startsWith(argument) ? null : text(value));
    case 'prefix':
      return (value) => part(text(value), 0);
    case 'suffix':
      return (value) => part(text(value), 1);
    case 'null':
      return () => null;
    default:
      throw new Error(`unknown function ${name}`);
  }
}

/** Before or after the first bar; without one the whole text; a dash before it means null. */
function part(value: Text, side: 0 | 1): Text {
  if (value === null) return null;
  const bar = value.indexOf('|');
  if (bar < 0) return value;
  const before = value.slice(0, bar);
  if (side === 1) return value.slice(bar + 1);
  return before === '-' ? null : before;
}

/** The joiner: both sides in words, `null` for a missing one. */
export function joined(left: unknown, right: unknown): string {
  return `${text(left)}+${text(right)}`;
}
