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
  const total =
    typeof span === 'number'
      ? span
      : (span.days ?? 0) * 86_400_000 +
        (span.hours ?? 0) * 3_600_000 +
        (span.minutes ?? 0) * 60_000 +
        (span.seconds ?? 0) * 1000 +
        (span.ms ?? 0);
  if (!Number.isSafeInteger(total) || total < 0) {
    throw new FlowError('plan.invalid', `${what} must be a whole number of milliseconds, not ${JSON.stringify(span)}`);
  }
  return total;
}
