import { FlowError, messageOf } from '../../core/errors.ts';
import type { Json, Position } from '../../core/ids.ts';
import { type Database, type DatabaseAddress, openDatabase } from '../../database/database.ts';
import type { ExportRow, ExportSource, ExportTarget, ExportWriter } from '../export.ts';

export interface PostgresTableOptions {
  readonly database: DatabaseAddress | Database;
  readonly table: string;
  /** Columns of the table, and where in a record each value stands: `key`, `timestamp`, `value`, `value.customer.name`. */
  readonly columns: { readonly [column: string]: string };
  /**
   * Columns that a row of the table is known by: a record writes over the row with equal ones, and one whose value is null
   * deletes it. Without, each record is a row more.
   */
  readonly keyColumns?: readonly string[];
}

const PATH = /^(key|value|timestamp|partition|position)(\.[^.]+)*$/;
/** Codes of PostgreSQL that no further try will change: data, constraints, names and rights that are not there. */
const PERMANENT = /^(22|23|42)/;

/**
 * Rows of a table, exactly once: they and the places behind them (table `nf_exports`) are written in one transaction, so
 * that a batch that comes again finds that it was there.
 */
export function postgresTable(options: PostgresTableOptions): ExportTarget {
  const { table, columns, keyColumns = [] } = options;
  for (const [column, path] of Object.entries(columns)) {
    if (!PATH.test(path)) {
      throw new FlowError(
        'config.invalid',
        `column ${column} of ${table}: ${JSON.stringify(path)} is no place in a record; write key, timestamp, or value.field`,
      );
    }
  }
  const unknown = keyColumns.find((column) => !(column in columns));
  if (unknown !== undefined)
    throw new FlowError('config.invalid', `the key column ${unknown} of ${table} is none of its columns`);
  return {
    description: { table },
    guarantee: 'exactly-once',
    async open(source) {
      const { database } = options;
      const isOwn = !('query' in database);
      const opened = isOwn ? await openDatabase(database) : database;
      try {
        return await openTable(opened, isOwn, options, source);
      } catch (thrown) {
        if (isOwn) await opened.close();
        throw thrown;
      }
    },
  };
}

async function openTable(
  database: Database,
  isOwn: boolean,
  options: PostgresTableOptions,
  source: ExportSource,
): Promise<ExportWriter> {
  const { partitions, name } = source;
  await database.query(
    `create table if not exists nf_exports (name text, part integer, position bigint not null, primary key (name, part))`,
  );
  const positions = await positionsOf(database.query, name, partitions);
  const statements = statementsOf(options);
  return {
    positions,
    async write(rows, next) {
      try {
        await database.transaction(async (query) => {
          const written = await lockPositions(query, name, partitions);
          for (const row of lastOfEach(
            rows.filter(({ partition, position }) => position >= written[partition]!),
            options,
          )) {
            await writeRow(query, statements, row, options);
          }
          await query(
            `insert into nf_exports (name, part, position)
             select $1, ordinality - 1, position from unnest($2::bigint[]) with ordinality as rows (position, ordinality)
             on conflict (name, part) do update set position = greatest(nf_exports.position, excluded.position)`,
            [name, next],
          );
        });
      } catch (thrown) {
        throw failure(thrown, options.table);
      }
    },
    finish: async () => undefined,
    close: async () => {
      if (isOwn) await database.close();
    },
  };
}

/** Two exports of one name wait for each other. */
async function lockPositions(query: Database['query'], name: string, partitions: number): Promise<readonly Position[]> {
  await query('select pg_advisory_xact_lock(hashtext($1))', [name]);
  return positionsOf(query, name, partitions);
}

async function positionsOf(query: Database['query'], name: string, partitions: number): Promise<readonly Position[]> {
  const rows = await query<{ part: number; position: Position }>(
    'select part, position from nf_exports where name = $1',
    [name],
  );
  return Array.from({ length: partitions }, (_, part) => rows.find((row) => row.part === part)?.position ?? 0);
}

/** Of rows with equal key columns only the last one counts. */
function lastOfEach(
  rows: readonly ExportRow[],
  { columns, keyColumns = [] }: PostgresTableOptions,
): readonly ExportRow[] {
  if (keyColumns.length === 0) return rows;
  const last = new Map<string, ExportRow>();
  for (const row of rows) {
    const key = JSON.stringify(keyColumns.map((column) => valueAt(row, columns[column]!)));
    last.delete(key);
    last.set(key, row);
  }
  return [...last.values()];
}

interface Statements {
  readonly put: string;
  readonly remove: string;
}

function statementsOf({ table, columns, keyColumns = [] }: PostgresTableOptions): Statements {
  const names = Object.keys(columns);
  const others = names.filter((column) => !keyColumns.includes(column));
  const insert = `insert into ${quoted(table)} (${names.map(quoted).join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`;
  const update =
    others.length === 0
      ? 'do nothing'
      : `do update set ${others.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(', ')}`;
  return {
    put: keyColumns.length === 0 ? insert : `${insert} on conflict (${keyColumns.map(quoted).join(', ')}) ${update}`,
    remove: `delete from ${quoted(table)} where ${keyColumns.map((column, i) => `${quoted(column)} = $${i + 1}`).join(' and ')}`,
  };
}

async function writeRow(
  query: Database['query'],
  { put, remove }: Statements,
  row: ExportRow,
  { columns, keyColumns = [] }: PostgresTableOptions,
): Promise<void> {
  if (row.value === null && keyColumns.length > 0) {
    await query(
      remove,
      keyColumns.map((column) => parameter(valueAt(row, columns[column]!))),
    );
  } else {
    await query(
      put,
      Object.values(columns).map((path) => parameter(valueAt(row, path))),
    );
  }
}

function valueAt(row: ExportRow, path: string): Json {
  let at: unknown = row;
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return null;
    at = (at as { readonly [name: string]: unknown })[name];
  }
  return at as Json;
}

/** Lists and records become JSON; clients would make arrays of PostgreSQL of lists. */
function parameter(value: Json): unknown {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}

function failure(thrown: unknown, table: string): unknown {
  const { code } = thrown as { readonly code?: unknown };
  if (typeof code !== 'string' || !PERMANENT.test(code)) return thrown;
  return new FlowError(
    'export.refused',
    `${table} refuses a row (${code}): ${messageOf(thrown)}; correct the table or the columns`,
    { cause: thrown },
  );
}
