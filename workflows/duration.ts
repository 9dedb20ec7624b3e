import type { Millis } from '../core/ids.ts';

const UNITS: { readonly [unit: string]: Millis } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SHORT = /^(\d{1,15})(ms|s|m|h|d)$/;
const ISO =
  /^P(?=[\dT])(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,3})?)S)?)?$/;

/** A thousand years: whatever lies beyond is a mistake, and sums of times stay exact. */
const LONGEST: Millis = 365_000 * 86_400_000;

/**
 * The span that `200ms`, `30s`, `5m`, `12h`, `7d` or `PT1H30M` stands for; `undefined` where the text is none. Months and
 * years are left out: how long they are hangs on when they begin.
 */
export function durationOf(text: string): Millis | undefined {
  const short = SHORT.exec(text);
  if (short !== null) return withinReason(Number(short[1]) * UNITS[short[2]!]!);
  const iso = ISO.exec(text);
  if (iso === null) return undefined;
  const [weeks, days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return withinReason(Math.round((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000));
}

function withinReason(span: Millis): Millis | undefined {
  return span <= LONGEST ? span : undefined;
}
