import { mkdirSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import type { Database } from './database.ts';

/** PostgreSQL within the process, in a folder or in memory. */
export async function openPglite(directory: string | undefined): Promise<Database> {
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const pglite = await PGlite.create(directory === undefined ? {} : { dataDir: directory });
  return {
    query: async <Row>(sql: string, values: readonly unknown[] = []) =>
      (await pglite.query<Row>(sql, [...values])).rows,
    transaction: (work) =>
      pglite.transaction((open) =>
        work(
          async <Row>(sql: string, values: readonly unknown[] = []) => (await open.query<Row>(sql, [...values])).rows,
        ),
      ),
    close: () => pglite.close(),
  };
}
