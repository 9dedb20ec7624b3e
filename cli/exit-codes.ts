import { ERRORS, type ErrorCode, type ErrorKind, isFlowError } from '../core/errors.ts';

/** The exit codes of the command line; docs/errors.md tells them. */
export const EXIT_CODES = {
  0: 'Done, or stopped on request with everything committed.',
  1: 'The job failed: a record, the log, a store, or an error of the topology module itself.',
  2: 'The command, the configuration, a file or the topology is wrong: nothing was begun, or nothing more is done.',
  3: 'Something outside did not answer; the same command may succeed when it is given again.',
} as const;

const BY_KIND: { readonly [kind in ErrorKind]: keyof typeof EXIT_CODES } = {
  user: 2,
  permanent: 1,
  system: 1,
  transient: 3,
};

export function exitCodeOfError(code: ErrorCode): keyof typeof EXIT_CODES {
  return BY_KIND[ERRORS[code].kind];
}

export function exitCodeOf(thrown: unknown): keyof typeof EXIT_CODES {
  return isFlowError(thrown) ? exitCodeOfError(thrown.code) : 1;
}
