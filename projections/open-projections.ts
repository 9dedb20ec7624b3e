import type { Database } from '../database/database.ts';
import { listExecutions } from './list.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import type { ExecutionPlace, Projections } from './projections.ts';
import { writeSteps } from './write-steps.ts';

/**
 * The read side in a database, whose tables are made where they are not there. Closing it closes the database, and so does
 * a failure to open it.
 */
export async function openProjections(database: Database): Promise<Projections> {
  try {
    await migrate(database, MIGRATIONS);
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
  return {
    write: (steps, cursor) =>
      database.transaction(async (query) => {
        await writeSteps(query, steps);
        await query(
          `insert into nf_cursor (part, position)
           select ordinality - 1, position from unnest($1::bigint[]) with ordinality as rows (position, ordinality)
           on conflict (part) do update set position = greatest(nf_cursor.position, excluded.position)`,
          [cursor],
        );
      }),
    cursor: async () =>
      (await database.query<{ position: number }>('select position from nf_cursor order by part')).map(
        ({ position }) => position,
      ),
    list: (query) => listExecutions(database, query),
    async place(execution) {
      const [row] = await database.query<ExecutionPlace>(
        'select part as partition, first_position as first, last_position as last from nf_executions where id = $1',
        [execution],
      );
      return row;
    },
    close: () => database.close(),
  };
}
