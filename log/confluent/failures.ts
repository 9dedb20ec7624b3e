import { FlowError } from '../../core/errors.ts';
import { failureOf, Stale } from '../kafka/error-codes.ts';
import type { LibraryError } from './library.ts';

/** Codes of the library's own; those of brokers are above zero. */
export const CODES = {
  fenced: -144,
  fatal: -150,
  state: -172,
  purgedQueue: -152,
  purgedInFlight: -151,
  offsetReset: -140,
  assign: -175,
  revoke: -174,
  queueFull: -184,
  noOffset: -168,
} as const;

/** Refusals of a producer that has a newer one. */
const FENCED: readonly number[] = [CODES.fenced, 47, 90];

/** The failure behind an error of the library: a `FlowError` where asking again changes nothing, else a `Stale`. */
export function failureOfLibrary(thrown: unknown, what: string): Stale | FlowError {
  if (thrown instanceof FlowError || thrown instanceof Stale) return thrown;
  const { code, message, isTxnRequiresAbort } = thrown as LibraryError;
  if (typeof code !== 'number') throw thrown;
  if (FENCED.includes(code)) {
    return new FlowError(
      'log.fenced',
      `${what}: a newer owner of the transactional id has taken over; this one must stop`,
    );
  }
  if (code > 0) {
    const failure = failureOf(code, what);
    if (failure instanceof FlowError) return failure;
  }
  if (isTxnRequiresAbort) {
    return new FlowError('log.aborted', `${what}: ${message}; the transaction must be aborted, its work is done again`);
  }
  if (code === CODES.purgedQueue || code === CODES.purgedInFlight) {
    return new FlowError('log.aborted', `${what}: the transaction was aborted`);
  }
  return new Stale(message, true, Math.max(0, code), { cause: thrown });
}

/** The same, where what passes has been waited for long enough. */
export function finalFailure(thrown: unknown, what: string): FlowError {
  const failure = failureOfLibrary(thrown, what);
  if (failure instanceof FlowError) return failure;
  return new FlowError('log.timeout', `${what}: ${failure.message}`, { cause: thrown });
}
