import type { Millis } from '../core/ids.ts';

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span of time with its unit, such as `90s` or `2d`; `undefined` where it is none. */
export function durationOf(written: string): Millis | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)$/.exec(written.trim());
  const ms = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!]!;
  return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined;
}

/** A span of time, to one place, in the largest unit that it fills. */
export function durationInWords(ms: Millis): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => ms >= size) ?? ['ms', 1];
  return `${(ms / size).toFixed(ms % size === 0 ? 0 : 1)} ${unit}`;
}

/**
 * A moment: milliseconds since 1970, or a date and time with its zone, such as `2026-11-25T20:00:00Z`; `undefined`
 * where it is none, or where it leaves the zone open.
 */
export function momentOf(written: string): Millis | undefined {
  if (/^\d+$/.test(written)) return Number(written);
  const hasZone = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(written);
  const time = hasZone ? Date.parse(written) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
