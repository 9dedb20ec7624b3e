import type { Clock } from '../../core/clock.ts';
import { doubled } from '../../core/duration.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';
import type { Stale } from './error-codes.ts';
import { failureFrom } from './failures.ts';
import type { Pulse } from './pulse.ts';

const FIRST_WAIT_MS: Millis = 20;
const LONGEST_WAIT_MS: Millis = 1000;

export interface Patience {
  readonly clock: Clock;
  readonly random: Random;
  readonly patienceMs: Millis;
  /** Aborts when the log is closed: nothing waits any longer then. */
  readonly closing?: AbortSignal;
  readonly pulse?: Pulse;
}

export interface RetryOptions {
  /** Called before another try where what is known is stale. */
  stale?(failure: Stale): void;
}

/**
 * Asks until there is an answer: failures that pass are asked again, with growing waits, until patience ends with
 * `log.timeout`. Any other failure is thrown as a `FlowError`. `what` names what is asked, for messages.
 */
export async function retry<T>(
  { clock, random, patienceMs, closing, pulse }: Patience,
  what: string,
  attempt: () => Promise<T>,
  { stale }: RetryOptions = {},
): Promise<T> {
  const deadline = clock.monotonic() + patienceMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (thrown) {
      const failure = failureFrom(thrown, what);
      if (failure instanceof FlowError) throw failure;
      if (failure.refresh) stale?.(failure);
      const waitMs = backOffMs(tries, random);
      if (clock.monotonic() + waitMs > deadline) {
        throw new FlowError(
          'log.timeout',
          `${what} had no answer in ${patienceMs} ms, ${tries + 1} times asked; the last time: ${failure.message}`,
          { cause: thrown },
        );
      }
      pulse?.again();
      if (!(await clock.sleep(waitMs, closing))) throw new FlowError('log.closed', `${what}: the log was closed`);
    }
  }
}

/** How long to wait before try number `tries + 1`: doubling, with jitter, so that not all come back together. */
export function backOffMs(tries: number, random: Random): Millis {
  const full = doubled(FIRST_WAIT_MS, tries, LONGEST_WAIT_MS);
  return Math.ceil(full * (0.5 + random.next() / 2));
}
