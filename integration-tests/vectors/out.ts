import type { Statement } from './op.ts';

/** A statement that no operator can run yet, and what is missing. */
export interface Out {
  readonly why: string;
  matches(statement: Statement): boolean;
}

/** Vectors with such statements are left out. What is listed here and runs is a fault of this list. */
export const OUT: readonly Out[] = [];
