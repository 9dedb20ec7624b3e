import { type ExportTarget, httpEndpoint, jsonLinesFile, postgresTable } from '../../connectors/export.ts';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { Database, DatabaseAddress } from '../../database/database.ts';
import type { Log } from '../../log/log.ts';
import { readTopic } from '../../runtime/runtime.ts';
import { toPlain } from '../../schemas/schemas.ts';
import type { ExportSpec } from './flows.ts';
import { guardedRequest } from './guarded-request.ts';
import type { SegmentCollect, SegmentHost } from './segments.ts';

/** Databases by the names that documents call them by. */
export type Connections = { readonly [name: string]: DatabaseAddress | Database };

/** The value that a collect makes, and how many records it had. */
export async function collected(
  log: Log,
  { node, topic, limit, newest }: SegmentCollect,
): Promise<{ readonly value: Json; readonly records: number }> {
  const list: Json[] = [];
  const rows = new Map<string, Json>();
  const records = await readTopic(log, topic, (value, key) => {
    const plain = toPlain(value) as Json;
    if (!newest) list.push(plain);
    else rows.set(typeof key === 'string' ? key : JSON.stringify(toPlain(key)), plain);
    if (list.length > limit || rows.size > limit) {
      throw new FlowError(
        'workflow.too-many-records',
        `node ${node} collects more than ${limit} records; raise its limit, or write them to a topic`,
      );
    }
  });
  if (!newest) return { value: list, records };
  const there = [...rows].filter(([, value]) => value !== null).sort(([a], [b]) => (a < b ? -1 : 1));
  return { value: Object.fromEntries(there), records };
}

export function targetOf(
  node: string,
  spec: ExportSpec,
  { connections = {}, http = {} }: Pick<SegmentHost, 'connections' | 'http'>,
): ExportTarget {
  if (spec.to === 'file') return jsonLinesFile(spec.path, { columns: spec.columns });
  if (spec.to === 'http') return httpEndpoint({ ...spec, request: guardedRequest(http) });
  const database = Object.hasOwn(connections, spec.connection) ? connections[spec.connection] : undefined;
  if (database === undefined) {
    throw new FlowError(
      'workflow.invalid',
      `node ${node} names the database ${spec.connection}, which the engine was not given`,
    );
  }
  return postgresTable({ database, table: spec.table, columns: spec.columns, keyColumns: spec.keyColumns });
}
