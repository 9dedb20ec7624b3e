import type { Clock } from '../core/clock.ts';

/** What a command has of the outside: nothing else is read, written or waited for. */
export interface World {
  readonly cwd: string;
  readonly env: { readonly [name: string]: string | undefined };
  readonly clock: Clock;
  /** Standard input. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Results, one line each: on standard output. */
  out(line: string): void;
  /** Everything else that is said: on standard error. */
  err(line: string): void;
  /** Writes over the last progress line of a terminal; `undefined` where standard error is none. */
  readonly over: ((line: string) => void) | undefined;
  /** Aborts at the first request to stop. */
  readonly stop: AbortSignal;
}
