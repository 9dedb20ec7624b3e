/** What an expression may cost; each bound is a fault or a failure of its own. */
export const LIMITS = {
  /** Bytes of source, as UTF-8. */
  source: 4096,
  nodes: 500,
  /** Brackets, calls, unary operators and branches within each other. */
  depth: 32,
  /** Items of a list or map that is written out. */
  list: 256,
  /** Macros within each other. */
  macros: 2,
  /** UTF-16 units of a text that is built. */
  text: 65_536,
  /** Steps of one evaluation. */
  fuel: 100_000,
  /** Parts of a value that is built with the help of a macro, each place where a part is met counted. */
  parts: 100_000,
  /** Steps foreseen before anything runs, lists that are not known taken as of ten items. */
  cost: 10_000,
  /** Instructions of a compiled pattern. */
  pattern: 1000,
} as const;

/** Names that lead out of the data: never read, written or made. */
export const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor']);
