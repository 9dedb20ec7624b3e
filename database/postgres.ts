import pg from 'pg';
import type { Database } from './database.ts';

const CONNECTIONS = 4;
const CONNECT_MS = 5000;

/** A server, over a few connections. 64-bit integers come as numbers: all that are kept here are below 2^53. */
export async function openPostgres(url: string): Promise<Database> {
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    types: types as typeof pg.types,
  });
  // a connection that breaks while nobody uses it is made anew with the next query
  pool.on('error', () => undefined);
  try {
    await pool.query('select 1');
  } catch (thrown) {
    await pool.end();
    throw thrown;
  }
  return {
    query: async <Row>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query(sql, [...values])).rows as Row[],
    async transaction(work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query('begin');
        const result = await work(
          async <Row>(sql: string, values: readonly unknown[] = []) =>
            (await client.query(sql, [...values])).rows as Row[],
        );
        await client.query('commit');
        return result;
      } catch (thrown) {
        await client.query('rollback').catch((failed: Error) => {
          broken = failed;
        });
        throw thrown;
      } finally {
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

const INT8 = 20;
