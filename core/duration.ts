import { FlowError } from './errors.ts';
import type { Millis } from './ids.ts';

/** A span of time: milliseconds, or named parts that add up. */
export type Duration =
  | Millis
  | {
      readonly days?: number;
      readonly hours?: number;
      readonly minutes?: number;
      readonly seconds?: number;
      readonly ms?: number;
    };

/** The span in milliseconds. Fails on a negative, fractional or empty span, naming `what`. */
export function millis(span: Duration, what: string): Millis {
  const total = signedMillis(span, what);
  if (total < 0) throw new FlowError('plan.invalid', `${what} must be 0 ms or more, not ${JSON.stringify(span)}`);
  return total;
}

/** Like {@link millis}, of a span that may reach back. */
export function signedMillis(span: Duration, what: string): Millis {
  const total = typeof span === 'number' ? span : sum(span);
  if (!Number.isSafeInteger(total)) throw unfit(span, what);
  return total;
}

function sum(span: Exclude<Duration, number>): Millis {
  if (typeof span !== 'object' || span === null) return Number.NaN;
  const { days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0 } = span;
  return days * 86_400_000 + hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + ms;
}

function unfit(span: Duration, what: string): FlowError {
  return new FlowError('plan.invalid', `${what} must be a whole number of milliseconds, not ${JSON.stringify(span)}`);
}

/** How long to pause when something has failed again: twice as long each time, `times` before this one, up to `longest`. */
export function doubled(first: Millis, times: number, longest: Millis): Millis {
  return Math.min(longest, first * 2 ** times);
}
