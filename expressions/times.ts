import { unreadable } from './arithmetic.ts';
import { fail } from './failure.ts';

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** Milliseconds since the epoch of a time as RFC 3339 writes it; numbers are milliseconds already. */
export function timestamp(site: number, value: unknown): number {
  if (typeof value === 'number') return value;
  const found = typeof value === 'string' && value.length <= 40 ? INSTANT.exec(value) : null;
  if (found === null) return unreadable(site, value, 'a time such as 2024-05-01T12:00:00Z');
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const millis = Number((found[7] ?? '').padEnd(3, '0').slice(0, 3));
  const away = (Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0)) * (found[8] === '-' ? -1 : 1);
  const inRange = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month) && hour < 24 && minute < 60;
  if (!inRange || second > 59 || year < 1 || Math.abs(away) > 18 * 60) return unreadable(site, value, 'a time');
  // years below 100 would be taken for such of the last century
  const shift = year < 100 ? 400 : 0;
  const at = Date.UTC(year + shift, month - 1, day, hour, minute, second, millis);
  return at - (shift === 0 ? 0 : 400 * 365.2425 * 86_400_000) - away * 60_000;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

const UNITS: { readonly [unit: string]: number } = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, ns: 1e-6 };

/** Milliseconds of a span such as `1h30m` or `250ms`; numbers are milliseconds already. */
export function duration(site: number, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.length > 64 || !/^[+-]?(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|ns))+$/.test(value)) {
    return value === '0' ? 0 : unreadable(site, value, 'a span of time such as 1h30m');
  }
  let total = 0;
  for (const [, count, unit] of value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)/g))
    total += Number(count) * UNITS[unit!]!;
  if (total > Number.MAX_SAFE_INTEGER) fail(site, 'is longer than can be counted', 'Ask for a shorter span.');
  return value.startsWith('-') ? -total : total;
}
