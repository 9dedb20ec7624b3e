import { createHash } from 'node:crypto';
import { FlowError } from '../core/errors.ts';
import type { Database } from '../database/database.ts';
import type { Migration } from './migrations.ts';

/** Any number: all processes that migrate one database take the same. */
const LOCK = 7_264_310;

/** Brings the tables to where the list of migrations ends. Processes that start together wait for each other. */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  await database.transaction(async (query) => {
    await query('select pg_advisory_xact_lock($1)', [LOCK]);
    await query('create table if not exists nf_migrations (name text primary key, checksum text not null)');
    const done = await query<{ name: string; checksum: string }>('select name, checksum from nf_migrations');
    const checksums = new Map(done.map(({ name, checksum }) => [name, checksum]));
    for (const migration of migrations) {
      const { name, statements } = migration;
      const checksum = createHash('sha256').update(statements.join(';\n')).digest('hex');
      const before = checksums.get(name);
      checksums.delete(name);
      if (before === checksum) continue;
      if (before !== undefined) {
        throw new FlowError(
          'projections.migration',
          `migration "${name}" is not the one that made these tables; drop the tables nf_* so that they are made anew ` +
            'from the events, or run the version of the package that made them',
        );
      }
      for (const statement of statements) await query(statement);
      await query('insert into nf_migrations (name, checksum) values ($1, $2)', [name, checksum]);
    }
    const newer = [...checksums.keys()];
    if (newer.length > 0) {
      throw new FlowError(
        'projections.migration',
        `the tables were made by a newer version (migration "${newer[0]}"); run that version, or drop the tables nf_*`,
      );
    }
  });
}
