import { FlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { behind, panePrefix } from '../disk-key.ts';
import type { Database } from './library.ts';

/** Of the folder. Raised when an older version could not read what this one writes. */
export const FORMAT = 1;

/** Meta rows have table id 0: `0, 0, name`. */
export function metaKey(name: string): Buffer {
  return Buffer.concat([Buffer.alloc(2), Buffer.from(name)]);
}

export const FORMAT_KEY = metaKey('format');
export const TABLES_KEY = metaKey('tables');
export const REFRESHED_KEY = metaKey('refreshed-at');

export function positionKey(table: string): Buffer {
  return metaKey(`position:${table}`);
}

export interface Meta {
  readonly tableIds: ReadonlyMap<string, number>;
  readonly positions: ReadonlyMap<string, Position>;
  readonly refreshedAt: Millis | undefined;
}

/** A folder whose contents make no sense. */
export class Nonsense extends Error {}

/**
 * The meta rows, written anew where the folder is new or a table is. Tables that nobody asks for any more are emptied:
 * should one come back, its changelog may be another by then, which their positions say nothing of.
 */
export async function readMeta(database: Database, directory: string, tables: readonly string[]): Promise<Meta> {
  const rows = new Map<string, string>();
  for await (const { key, value } of database.iterator(
    { gte: Buffer.from([0, 0]), lt: Buffer.from([0, 1]) },
    { capacity: 64 },
  )) {
    rows.set(key.toString('utf8', 2), value.toString());
  }
  const fresh = rows.size === 0;
  if (fresh) {
    for await (const _ of database.iterator({}, { limit: 1 })) throw new Nonsense('it has rows but no format');
  } else {
    checkFormat(rows.get('format'), directory);
  }
  const tableIds = new Map(Object.entries(parseIds(rows.get('tables'))));
  const gone = [...tableIds].filter(([name]) => !tables.includes(name));
  const used = [...tableIds.values()];
  for (const [name] of gone) tableIds.delete(name);
  const before = tableIds.size;
  for (const table of tables)
    if (!tableIds.has(table)) tableIds.set(table, Math.max(0, ...used, ...tableIds.values()) + 1);
  if (fresh || tableIds.size > before || gone.length > 0) {
    const batch = database.write();
    try {
      batch.tryPut(FORMAT_KEY, Buffer.from(String(FORMAT)));
      batch.tryPut(TABLES_KEY, Buffer.from(JSON.stringify(Object.fromEntries(tableIds))));
      for (const [name, id] of gone) {
        const prefix = panePrefix(id, false, 0);
        batch.tryDeleteRange(prefix, behind(prefix));
        batch.tryDelete(positionKey(name));
      }
      await batch.flush();
    } finally {
      batch.destroy();
    }
  }
  const positions = new Map<string, Position>();
  for (const table of tables) {
    const position = rows.get(`position:${table}`);
    if (position !== undefined) positions.set(table, number(position));
  }
  const refreshed = rows.get('refreshed-at');
  return { tableIds, positions, refreshedAt: refreshed === undefined ? undefined : number(refreshed) };
}

function checkFormat(text: string | undefined, directory: string): void {
  const format = number(text ?? '');
  if (format <= FORMAT) return;
  throw new FlowError(
    'state.format',
    `state folder ${directory} has format ${format}, this version reads up to ${FORMAT}: use the version that wrote it or a newer one, or delete the folder to rebuild it from the changelog`,
  );
}

function number(text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value)) throw new Nonsense(`a meta row holds ${JSON.stringify(text)}`);
  return value;
}

function parseIds(text: string | undefined): Record<string, number> {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch (thrown) {
    throw new Nonsense('its list of tables cannot be read', { cause: thrown });
  }
}
