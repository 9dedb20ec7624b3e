/** What is known of an error in general, whatever it was about. */
export type ErrorKind = 'transient' | 'permanent' | 'system' | 'user';

export interface ErrorRow {
  readonly kind: ErrorKind;
  /** What happened, in general. */
  readonly cause: string;
  /** What to do about it, in general. */
  readonly cure: string;
}

export const row = (kind: ErrorKind, cause: string, cure: string): ErrorRow => ({ kind, cause, cure });
