/**
 * A database that speaks PostgreSQL's SQL: a server, or PGlite within the process. Who uses it keeps to what both do.
 *
 * Numbers of 64 bits come as numbers, since all that is kept in them is below 2^53. Values of `json` and `jsonb` come as
 * what they stand for. Transactions of one {@link Database} may run side by side on a server; PGlite has one connection,
 * and lets them wait for each other.
 */
export interface Database {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Commits what `work` did when it resolves, and undoes it when it throws. */
  transaction<T>(work: (query: Database['query']) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** `postgres://...` of a server; or a folder, or `undefined` for memory alone, of PGlite. */
export type DatabaseAddress = { readonly url: string } | { readonly directory: string | undefined };

export { openDatabase } from './open-database.ts';
