import type { Json } from '../core/ids.ts';
import { pageSize, placeText } from '../core/pages.ts';
import type { Database } from '../database/database.ts';
import type { ExecutionStatus } from '../events/events.ts';
import { Conditions, readRowPlace } from './page.ts';
import type { ExecutionPage, ExecutionQuery, ExecutionRow } from './projections.ts';

interface Row {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly status: ExecutionStatus;
  readonly degraded: boolean;
  readonly mode: string;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly by_user: string | null;
  readonly labels: ExecutionRow['labels'];
  readonly counts: ExecutionRow['counts'];
  readonly error: Json;
}

export async function listExecutions(database: Database, query: ExecutionQuery): Promise<ExecutionPage> {
  const size = pageSize(query.limit);
  const conditions = new Conditions();
  if (query.workflow !== undefined) conditions.add('workflow = $', query.workflow);
  if (query.status !== undefined) conditions.add('status = any($::text[])', query.status);
  if (query.startedAfter !== undefined) conditions.add('started_at > $', query.startedAfter);
  if (query.startedBefore !== undefined) conditions.add('started_at < $', query.startedBefore);
  if (query.degraded !== undefined) conditions.add('degraded = $', query.degraded);
  if (query.labels !== undefined) conditions.add('labels @> $::jsonb', JSON.stringify(query.labels));
  if (query.text !== undefined) conditions.add(`search @@ plainto_tsquery('simple', $)`, query.text);
  if (query.after !== undefined) {
    conditions.add(
      '(started_at, id) < (($::jsonb->>0)::bigint, $::jsonb->>1)',
      JSON.stringify(readRowPlace(query.after)),
    );
  }
  const rows = await database.query<Row>(
    `select id, workflow, version, status, degraded, mode, started_at, ended_at, by_user, labels, counts, error
     from nf_executions ${conditions.where} order by started_at desc, id desc limit ${size + 1}`,
    conditions.values,
  );
  const last = rows.length > size ? rows[size - 1] : undefined;
  return {
    rows: rows.slice(0, size).map((row) => ({
      id: row.id,
      workflow: row.workflow,
      version: row.version,
      status: row.status,
      degraded: row.degraded,
      mode: row.mode,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      user: row.by_user,
      labels: row.labels,
      counts: row.counts,
      error: row.error,
    })),
    next: last === undefined ? null : placeText([last.started_at, last.id]),
  };
}
